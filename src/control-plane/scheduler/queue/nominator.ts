/** Remembers which waiting pods a node is being made free for, so that no pod of lower priority takes their place meanwhile. */
import type { Pod } from '#api/core/v1.gen.ts'
import { toPodInfo, type PodInfo } from '../cache/node-info.ts'
import { priorityOf } from '../pod-priority.ts'

const NOBODY: readonly PodInfo[] = []

export class Nominator {
  /** node name -> uid -> pod. */
  readonly #byNode = new Map<string, Map<string, PodInfo>>()
  readonly #nodeOf = new Map<string, string>()

  /** Promises the node to the pod, which gives up any other one; an empty name promises nothing. */
  set(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata
    this.delete(uid)
    if (nodeName === '') return
    this.#nodeOf.set(uid, nodeName)
    let pods = this.#byNode.get(nodeName)
    if (pods === undefined) this.#byNode.set(nodeName, (pods = new Map()))
    pods.set(uid, toPodInfo(pod))
  }

  /** A pod changed. One that never named a node may be the echo of an older state: what was promised here since stays. */
  update(pod: Pod, old: Pod): void {
    const [now, before] = [pod.status?.nominatedNodeName ?? '', old.status?.nominatedNodeName ?? '']
    this.set(pod, now === '' && before === '' ? this.nodeOf(pod.metadata.uid) : now)
  }

  delete(uid: string): void {
    const nodeName = this.#nodeOf.get(uid)
    if (nodeName === undefined) return
    this.#nodeOf.delete(uid)
    const pods = this.#byNode.get(nodeName)!
    pods.delete(uid)
    if (pods.size === 0) this.#byNode.delete(nodeName)
  }

  /** Empty when nothing is promised to the pod. */
  nodeOf(uid: string): string {
    return this.#nodeOf.get(uid) ?? ''
  }

  podsOn(nodeName: string): readonly PodInfo[] {
    const pods = this.#byNode.get(nodeName)
    return pods === undefined ? NOBODY : [...pods.values()]
  }

  /** Pods that come before this one on the node: promised it, and of no lower priority. */
  rivalsOf(pod: Pod, nodeName: string): readonly PodInfo[] {
    if (this.#byNode.size === 0) return NOBODY
    return this.podsOn(nodeName).filter(
      (info) => info.pod.metadata.uid !== pod.metadata.uid && priorityOf(info.pod) >= priorityOf(pod),
    )
  }
}
