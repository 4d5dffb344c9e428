/** Short names of a volume's access modes, as tables show them. */

const SHORT_NAMES: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

/** `RWO,RWX`, each once and always in the same order. */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return SHORT_NAMES.filter(([mode]) => modes?.includes(mode) ?? false)
    .map(([, short]) => short)
    .join(',')
}
