/** Which admission plugins run, by upstream's flags. Pure. */

export type PluginSelection = {
  /** Besides those that are on by default. */
  readonly enabled: readonly string[]
  readonly disabled: readonly string[]
}

/** What upstream says about such flags; empty when they are fine. */
export function selectionProblems({ enabled, disabled }: PluginSelection, known: readonly string[]): string[] {
  const unknown = (flag: string, names: readonly string[]): string[] =>
    names
      .filter((name) => !known.includes(name))
      .map((name) => `${flag}-admission-plugins plugin ${JSON.stringify(name)} is unknown`)
  const both = [...new Set(enabled)].filter((name) => disabled.includes(name)).toSorted()
  return [
    ...unknown('enable', enabled),
    ...unknown('disable', disabled),
    ...(both.length === 0
      ? []
      : [`[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`]),
  ]
}

/** Whoever is asked for by name runs, whatever else is said. */
export function isSelected(
  { name, isDefault }: { readonly name: string; readonly isDefault: boolean },
  { enabled, disabled }: PluginSelection,
): boolean {
  return enabled.includes(name) || (isDefault && !disabled.includes(name))
}
