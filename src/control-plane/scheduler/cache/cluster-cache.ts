/** The scheduler's picture of nodes and pods: what the API server reported, plus pods that are being bound right now. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import type { Snapshot } from '../framework.ts'
import { NodeInfo, toPodInfo, type PodInfo } from './node-info.ts'
import { PodCounts, type PodQuery } from './pod-counts.ts'

export class ClusterCache implements Snapshot {
  /** In the order in which the nodes came; `#list` is its array, made again after a change of the nodes. */
  readonly #nodes = new Map<string, NodeInfo>()
  #list: readonly NodeInfo[] | null = null
  /** Pods on nodes that are not (or no longer) known: node name -> pods. */
  readonly #homeless = new Map<string, Map<string, PodInfo>>()
  /** uid -> place, for every pod that is placed or assumed. */
  readonly #placed = new Map<string, { readonly info: PodInfo; readonly nodeName: string }>()
  readonly #counts = new PodCounts()
  readonly #assumed = new Set<string>()
  /** Image name -> number of nodes that have it. */
  readonly #imageNodes = new Map<string, number>()

  nodes(): readonly NodeInfo[] {
    return (this.#list ??= [...this.#nodes.values()])
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  countPods(query: PodQuery): ReadonlyMap<string, number> {
    return this.#counts.count(query)
  }

  imageNodeCount(image: string): number {
    return this.#imageNodes.get(image) ?? 0
  }

  setNode(node: Node): void {
    const name = node.metadata.name
    const known = this.#nodes.get(name)
    const info = known === undefined ? new NodeInfo(node) : known.withNode(node)
    for (const pod of this.#homeless.get(name)?.values() ?? []) info.addPod(pod)
    this.#homeless.delete(name)
    this.#nodes.set(name, info)
    this.#list = null
    this.#countImages(info, 1)
    if (known !== undefined) this.#countImages(known, -1)
  }

  /** Its pods stay known until they are deleted: a node that comes back has them. */
  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (info === undefined) return
    this.#nodes.delete(name)
    this.#list = null
    this.#countImages(info, -1)
    const pods = new Map([...info.pods()].map((pod) => [pod.pod.metadata.uid, pod]))
    if (pods.size > 0) this.#homeless.set(name, pods)
  }

  /** Counts the pod on the node from now on, although the API server does not say so yet. */
  assume(info: PodInfo, nodeName: string): void {
    this.#assumed.add(info.pod.metadata.uid)
    this.#place(info, nodeName)
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid)
  }

  /** The binding failed. */
  forget(uid: string): void {
    if (this.#assumed.delete(uid)) this.#unplace(uid)
  }

  /** The API server reports the pod on its node: the truth, whatever was assumed. */
  setPod(pod: Pod): void {
    this.#assumed.delete(pod.metadata.uid)
    this.#place(toPodInfo(pod), pod.spec.nodeName!)
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid)
    this.#unplace(uid)
  }

  #countImages({ imageBytes }: NodeInfo, sign: 1 | -1): void {
    for (const image of imageBytes.keys()) {
      const count = this.imageNodeCount(image) + sign
      if (count > 0) this.#imageNodes.set(image, count)
      else this.#imageNodes.delete(image)
    }
  }

  #place(info: PodInfo, nodeName: string): void {
    const uid = info.pod.metadata.uid
    this.#unplace(uid)
    this.#placed.set(uid, { info, nodeName })
    this.#counts.added(info, nodeName)
    const node = this.#nodes.get(nodeName)
    if (node !== undefined) return node.addPod(info)
    let pods = this.#homeless.get(nodeName)
    if (pods === undefined) this.#homeless.set(nodeName, (pods = new Map()))
    pods.set(uid, info)
  }

  #unplace(uid: string): void {
    const place = this.#placed.get(uid)
    if (place === undefined) return
    const { info, nodeName } = place
    this.#placed.delete(uid)
    this.#counts.removed(info, nodeName)
    this.#nodes.get(nodeName)?.removePod(uid)
    const homeless = this.#homeless.get(nodeName)
    homeless?.delete(uid)
    if (homeless?.size === 0) this.#homeless.delete(nodeName)
  }
}
