/** How many pods of a kind each node has, kept up to date for the kinds that pods asked for lately instead of counted for each pod. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodInfo } from './node-info.ts'

export type PodQuery = {
  /** Equal for queries with equal answers; null for one whose answer changes without any pod changing. */
  readonly key: string | null
  /** Null: all. */
  readonly namespaces: readonly string[] | null
  readonly matches: (pod: Pod) => boolean
}

type Placed = { readonly info: PodInfo; readonly nodeName: string }
type Kept = { readonly query: PodQuery; readonly counts: Map<string, number> }

/** Kinds that are kept. Each costs a test for every pod that comes or goes; a cluster asks for about one a workload it is placing. */
const QUERIES_MAX = 100

export class PodCounts {
  readonly #byNamespace = new Map<string, Map<string, Placed>>()
  /** Asked for longest ago first. */
  readonly #kept = new Map<string, Kept>()

  /** Node name -> number of pods, for nodes that have any. It is live: read it before the next change. */
  count(query: PodQuery): ReadonlyMap<string, number> {
    if (query.key === null) return this.#scan(query)
    const kept = this.#kept.get(query.key) ?? { query, counts: this.#scan(query) }
    this.#kept.delete(query.key)
    this.#kept.set(query.key, kept)
    if (this.#kept.size > QUERIES_MAX) this.#kept.delete(this.#kept.keys().next().value!)
    return kept.counts
  }

  added(info: PodInfo, nodeName: string): void {
    const { namespace, uid } = info.pod.metadata
    let pods = this.#byNamespace.get(namespace!)
    if (pods === undefined) this.#byNamespace.set(namespace!, (pods = new Map()))
    pods.set(uid, { info, nodeName })
    this.#apply(info, nodeName, 1)
  }

  removed(info: PodInfo, nodeName: string): void {
    const { namespace, uid } = info.pod.metadata
    const pods = this.#byNamespace.get(namespace!)
    if (!pods?.delete(uid)) return
    if (pods.size === 0) this.#byNamespace.delete(namespace!)
    this.#apply(info, nodeName, -1)
  }

  #apply(info: PodInfo, nodeName: string, amount: 1 | -1): void {
    for (const { query, counts } of this.#kept.values()) if (concerns(query, info.pod)) add(counts, nodeName, amount)
  }

  #scan(query: PodQuery): Map<string, number> {
    const counts = new Map<string, number>()
    for (const namespace of query.namespaces ?? this.#byNamespace.keys())
      for (const { info, nodeName } of this.#byNamespace.get(namespace)?.values() ?? [])
        if (query.matches(info.pod)) add(counts, nodeName, 1)
    return counts
  }
}

const concerns = (query: PodQuery, pod: Pod): boolean =>
  (query.namespaces?.includes(pod.metadata.namespace!) ?? true) && query.matches(pod)

function add(counts: Map<string, number>, nodeName: string, amount: 1 | -1): void {
  const count = (counts.get(nodeName) ?? 0) + amount
  if (count === 0) counts.delete(nodeName)
  else counts.set(nodeName, count)
}
