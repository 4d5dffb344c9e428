/** Decides what becomes of an object from the state of its owners. */
import type { OwnerReference } from '#machinery/meta/v1.gen.ts'
import { FOREGROUND, isWaitingForDependents, ORPHAN, type GraphNode } from './graph.ts'

export type OwnerState = 'present' | 'absent' | 'waiting'
export type OwnedBy = { readonly owner: OwnerReference; readonly state: OwnerState }

export type Plan =
  | { readonly action: 'keep' }
  /** Some owner remains: only the references to the others go. */
  | { readonly action: 'drop-owners'; readonly uids: readonly string[] }
  | { readonly action: 'delete'; readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan' }

/** Of an object that is not being deleted. */
export function planObject(node: GraphNode, owners: readonly OwnedBy[], dependents: readonly GraphNode[]): Plan {
  if (owners.length === 0) return { action: 'keep' }
  const gone = owners.filter(({ state }) => state !== 'present')
  if (gone.length < owners.length)
    return gone.length === 0 ? { action: 'keep' } : { action: 'drop-owners', uids: gone.map(({ owner }) => owner.uid) }
  // The owner waits: then this object's own dependents have to go before it, too.
  if (owners.some(({ state }) => state === 'waiting') && dependents.length > 0)
    return { action: 'delete', propagationPolicy: 'Foreground' }
  if (node.finalizers.includes(ORPHAN)) return { action: 'delete', propagationPolicy: 'Orphan' }
  if (node.finalizers.includes(FOREGROUND)) return { action: 'delete', propagationPolicy: 'Foreground' }
  return { action: 'delete', propagationPolicy: 'Background' }
}

/** Dependents that keep an owner which was deleted in the foreground. */
export function blockingDependents(owner: GraphNode, dependents: readonly GraphNode[]): GraphNode[] {
  return dependents.filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === owner.uid && blockOwnerDeletion === true),
  )
}

/** Owners in a circle would wait for each other for ever: such a dependent must not block any more. */
export function isCircular(dependents: readonly GraphNode[]): boolean {
  return dependents.some(isWaitingForDependents)
}
