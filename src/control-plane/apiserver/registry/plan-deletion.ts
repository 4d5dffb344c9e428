/** Decides what a deletion does to an object: gone at once, or marked and waiting for its grace period and finalizers. Pure. */
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { DeleteOptions } from '#machinery/meta/v1.gen.ts'

export const ORPHAN = 'orphan'
export const FOREGROUND = 'foregroundDeletion'

export type DeletionPlan =
  | { readonly outcome: 'remove' }
  /** The object as it is to be written. */
  | {
      readonly outcome: 'mark'
      readonly object: KubernetesObject
      /** Nothing holds it any more: it goes right after the mark. */
      readonly vanishes: boolean
    }
  /** It is being deleted already, and this request adds nothing. */
  | { readonly outcome: 'wait' }

/** `object` is not changed. */
export function planDeletion(
  kind: KindDefinition,
  object: KubernetesObject,
  options: DeleteOptions,
  nowMs: number,
): DeletionPlan {
  const { metadata } = object
  const finalizers = planFinalizers(kind, object, options)
  const grace = planGrace(kind, object, options)
  const next: KubernetesObject = { ...object, metadata: { ...metadata } }
  setFinalizers(next, finalizers)
  const hasFinalizers = finalizers.length > 0 || (kind.strategy.hasOwnFinalizers?.(object) ?? false)
  const vanishes = !hasFinalizers && grace === 0
  const isGraceful = kind.strategy.graceSeconds?.(object, options.gracePeriodSeconds) !== undefined
  if (vanishes && !isGraceful) return { outcome: 'remove' }
  if (metadata.deletionTimestamp === undefined) {
    next.metadata.deletionTimestamp = formatTime(nowMs + grace * 1000)
    next.metadata.deletionGracePeriodSeconds = grace
    if ((metadata.generation ?? 0) > 0) next.metadata.generation = metadata.generation! + 1
    kind.strategy.prepareForDeletion?.(next)
    return { outcome: 'mark', object: next, vanishes }
  }
  const before = metadata.deletionGracePeriodSeconds ?? 0
  const isShorter = grace < before
  if (isShorter) {
    next.metadata.deletionTimestamp = formatTime(Date.parse(metadata.deletionTimestamp) - (before - grace) * 1000)
    next.metadata.deletionGracePeriodSeconds = grace
  }
  if (vanishes && !isShorter) return { outcome: 'remove' }
  const changesFinalizers = finalizers.join() !== (metadata.finalizers ?? []).join()
  return isShorter || changesFinalizers ? { outcome: 'mark', object: next, vanishes } : { outcome: 'wait' }
}

/** Seconds of grace that this request leaves; a deletion under way is only ever shortened. */
function planGrace(kind: KindDefinition, object: KubernetesObject, options: DeleteOptions): number {
  const requested = options.gracePeriodSeconds
  const asked = kind.strategy.graceSeconds?.(object, requested) ?? 0
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  if (deletionTimestamp === undefined) return asked < 0 ? 1 : asked
  return requested === undefined
    ? deletionGracePeriodSeconds
    : Math.min(asked < 0 ? 1 : asked, deletionGracePeriodSeconds)
}

function planFinalizers(kind: KindDefinition, object: KubernetesObject, options: DeleteOptions): string[] {
  const existing = object.metadata.finalizers ?? []
  const others = existing.filter((name) => name !== ORPHAN && name !== FOREGROUND)
  const policy =
    kind.isNamespace === true ? namespacePropagationOf(existing, options) : propagationOf(kind, existing, options)
  if (policy === 'Orphan') return [...others, ORPHAN]
  return policy === 'Foreground' ? [...others, FOREGROUND] : others
}

/** What was said explicitly, else what an earlier deletion left as a finalizer, else the kind's default. */
function propagationOf(kind: KindDefinition, existing: readonly string[], options: DeleteOptions): string {
  if (options.propagationPolicy !== undefined) return options.propagationPolicy
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background'
  if (existing.includes(ORPHAN)) return 'Orphan'
  if (existing.includes(FOREGROUND)) return 'Foreground'
  return kind.strategy.orphansDependents === true ? 'Orphan' : 'Background'
}

/** Namespaces are older than propagation policies: whoever does not want orphans waits for the dependents. */
function namespacePropagationOf(existing: readonly string[], options: DeleteOptions): string {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Foreground'
  if (options.propagationPolicy !== undefined) return options.propagationPolicy
  if (existing.includes(ORPHAN)) return 'Orphan'
  return existing.includes(FOREGROUND) ? 'Foreground' : 'Background'
}

function setFinalizers(object: KubernetesObject, finalizers: string[]): void {
  if (finalizers.length === 0) delete object.metadata.finalizers
  else object.metadata.finalizers = finalizers
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
