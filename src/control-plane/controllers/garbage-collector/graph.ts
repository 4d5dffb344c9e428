/** Who owns whom: every object that the collector has seen, its owners, and the dependents of each uid. */
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { OwnerReference } from '#machinery/meta/v1.gen.ts'

/** What the collector remembers of an object; the object itself stays in its informer. */
export type GraphNode = {
  readonly resource: ResourceRef
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly owners: readonly OwnerReference[]
  readonly isDeleting: boolean
  readonly finalizers: readonly string[]
}

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #dependents = new Map<string, Set<string>>()

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  /** Remembers the object's present state and answers the one before. */
  set(resource: ResourceRef, { metadata }: KubernetesObject): GraphNode | undefined {
    const old = this.delete(metadata.uid)
    const node: GraphNode = {
      resource,
      uid: metadata.uid,
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      owners: metadata.ownerReferences ?? [],
      isDeleting: metadata.deletionTimestamp !== undefined,
      finalizers: metadata.finalizers ?? [],
    }
    this.#nodes.set(node.uid, node)
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid)
      if (dependents === undefined) this.#dependents.set(uid, new Set([node.uid]))
      else dependents.add(node.uid)
    }
    return old
  }

  delete(uid: string): GraphNode | undefined {
    const node = this.#nodes.get(uid)
    if (node === undefined) return undefined
    this.#nodes.delete(uid)
    for (const owner of node.owners) {
      const dependents = this.#dependents.get(owner.uid)
      dependents?.delete(uid)
      if (dependents?.size === 0) this.#dependents.delete(owner.uid)
    }
    return node
  }

  /** Objects that have owners, or are about to go. */
  interesting(): string[] {
    return [...this.#nodes.values()].filter((node) => node.owners.length > 0 || node.isDeleting).map(({ uid }) => uid)
  }

  dependentsOf(uid: string): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? [])
  }
}

/** Deleted in the foreground: waits for its dependents. */
export function isWaitingForDependents({ isDeleting, finalizers }: GraphNode): boolean {
  return isDeleting && finalizers.includes(FOREGROUND)
}
