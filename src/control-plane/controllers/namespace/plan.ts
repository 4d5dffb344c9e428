/** Decides what the conditions of an ending namespace tell about the content that is still there. */
import type { Namespace, NamespaceCondition } from '#api/core/v1.gen.ts'

/** What one round of deletion found. */
export type DeletionRound = {
  readonly discoveryError: string | null
  readonly contentErrors: readonly string[]
  /** `resource.group` -> objects that remain. */
  readonly remaining: ReadonlyMap<string, number>
  /** finalizer -> objects that wait for it. */
  readonly finalizers: ReadonlyMap<string, number>
}

type Finding = { readonly type: string; readonly ok: [reason: string, message: string]; readonly problem: Problem }
type Problem = readonly [reason: string, message: string] | null

function findings({ discoveryError, contentErrors, remaining, finalizers }: DeletionRound): Finding[] {
  const listed = (map: ReadonlyMap<string, number>, word: string): string =>
    [...map]
      .map(([name, count]) => `${name} ${word} ${count} resource instances`)
      .sort()
      .join(', ')
  return [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      ok: ['ResourcesDiscovered', 'All resources successfully discovered'],
      problem: discoveryError === null ? null : ['DiscoveryFailed', discoveryError],
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      ok: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
      problem: null,
    },
    {
      type: 'NamespaceDeletionContentFailure',
      ok: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
      problem:
        contentErrors.length === 0
          ? null
          : [
              'ContentDeletionFailed',
              `Failed to delete all resource types, ${contentErrors.length} remaining: ${contentErrors.toSorted().join(', ')}`,
            ],
    },
    {
      type: 'NamespaceContentRemaining',
      ok: ['ContentRemoved', 'All content successfully removed'],
      problem:
        remaining.size === 0
          ? null
          : ['SomeResourcesRemain', `Some resources are remaining: ${listed(remaining, 'has')}`],
    },
    {
      type: 'NamespaceFinalizersRemaining',
      ok: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
      problem:
        finalizers.size === 0
          ? null
          : [
              'SomeFinalizersRemain',
              `Some content in the namespace has finalizers remaining: ${listed(finalizers, 'in')}`,
            ],
    },
  ]
}

/** The namespace's conditions after the round, or null when nothing changed. */
export function planConditions(namespace: Namespace, round: DeletionRound, now: string): NamespaceCondition[] | null {
  const known = namespace.status?.conditions ?? []
  const conditions = [...known]
  let hasChanged = false
  for (const { type, ok, problem } of findings(round)) {
    const [reason, message] = problem ?? ok
    const status = problem === null ? 'False' : 'True'
    const position = conditions.findIndex((condition) => condition.type === type)
    const old = conditions[position]
    if (old?.status === status && old.reason === reason && old.message === message) continue
    hasChanged = true
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now
    const next: NamespaceCondition = { type, status, reason, message, lastTransitionTime }
    if (position < 0) conditions.push(next)
    else conditions[position] = next
  }
  return hasChanged ? conditions : null
}
