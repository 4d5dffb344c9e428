/** A node with the pods on it, summed up as the plugins need it. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { quantityToNumber } from '#machinery/quantity.ts'
import { addResources, emptyResources, podRequests, toResources, type Resources } from './resources.ts'

/** A pod with the sums that would be costly to make again in each cycle. */
export type PodInfo = {
  readonly pod: Pod
  readonly requests: Resources
  /** With defaults where a container asks for nothing; CPU and memory only are read. */
  readonly scoredRequests: Resources
  readonly hostPorts: readonly string[]
  readonly hasAffinity: boolean
  readonly hasRequiredAntiAffinity: boolean
}

export function toPodInfo(pod: Pod): PodInfo {
  const affinity = pod.spec.affinity
  return {
    pod,
    requests: podRequests(pod),
    scoredRequests: podRequests(pod, { defaults: true }),
    hostPorts: hostPortKeys(pod),
    hasAffinity: affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined,
    hasRequiredAntiAffinity:
      (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0,
  }
}

/** `TCP 0.0.0.0 8080` for each host port; two pods clash when protocol and port are equal and the addresses overlap. */
export function hostPortKeys(pod: Pod): string[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  return [...pod.spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => `${port.protocol ?? 'TCP'} ${port.hostIP || '0.0.0.0'} ${port.hostPort}`),
  )
}

export class NodeInfo {
  readonly node: Node
  readonly allocatable: Resources
  readonly allowedPods: number
  /** Bytes of each image on the node, by every name it goes by. */
  readonly imageBytes: ReadonlyMap<string, number>
  readonly requested = emptyResources()
  readonly scoredRequested = emptyResources()
  readonly #pods = new Map<string, PodInfo>()
  /** Host port key -> number of pods that hold it. */
  readonly #hostPorts = new Map<string, number>()
  readonly #withAffinity = new Map<string, PodInfo>()

  /** `known`: what was read from the same version of the node before. */
  constructor(node: Node, known?: Pick<NodeInfo, 'allocatable' | 'allowedPods' | 'imageBytes'>) {
    this.node = node
    this.allocatable = known?.allocatable ?? toResources(node.status?.allocatable)
    this.allowedPods = known?.allowedPods ?? quantityToNumber(node.status?.allocatable?.['pods'] ?? '0')
    this.imageBytes =
      known?.imageBytes ??
      new Map(
        (node.status?.images ?? []).flatMap((image) =>
          (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const),
        ),
      )
  }

  get name(): string {
    return this.node.metadata.name
  }

  get podCount(): number {
    return this.#pods.size
  }

  pods(): Iterable<PodInfo> {
    return this.#pods.values()
  }

  /** Those of the pods that have affinity or anti-affinity to other pods. */
  podsWithAffinity(): ReadonlyMap<string, PodInfo> {
    return this.#withAffinity
  }

  addPod(info: PodInfo): void {
    this.removePod(info.pod.metadata.uid)
    this.#pods.set(info.pod.metadata.uid, info)
    if (info.hasAffinity) this.#withAffinity.set(info.pod.metadata.uid, info)
    addResources(this.requested, info.requests)
    addResources(this.scoredRequested, info.scoredRequests)
    for (const key of info.hostPorts) this.#hostPorts.set(key, (this.#hostPorts.get(key) ?? 0) + 1)
  }

  removePod(uid: string): PodInfo | undefined {
    const info = this.#pods.get(uid)
    if (info === undefined) return undefined
    this.#pods.delete(uid)
    this.#withAffinity.delete(uid)
    addResources(this.requested, info.requests, -1)
    addResources(this.scoredRequested, info.scoredRequests, -1)
    for (const key of info.hostPorts) {
      const left = (this.#hostPorts.get(key) ?? 0) - 1
      if (left > 0) this.#hostPorts.set(key, left)
      else this.#hostPorts.delete(key)
    }
    return info
  }

  /** Whether a host port of the keys is taken; 0.0.0.0 overlaps every address. */
  hasPortConflict(keys: readonly string[]): boolean {
    if (this.#hostPorts.size === 0) return false
    return keys.some((key) => {
      if (this.#hostPorts.has(key)) return true
      const [protocol, address, port] = key.split(' ')
      if (address !== '0.0.0.0') return this.#hostPorts.has(`${protocol} 0.0.0.0 ${port}`)
      return [...this.#hostPorts.keys()].some((taken) => taken.startsWith(`${protocol} `) && taken.endsWith(` ${port}`))
    })
  }

  /** The same pods on a newer version of the node, or on a copy of this one for what-ifs. */
  withNode(node: Node): NodeInfo {
    const next = node === this.node ? new NodeInfo(node, this) : new NodeInfo(node)
    for (const info of this.#pods.values()) next.addPod(info)
    return next
  }
}
