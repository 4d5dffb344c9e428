/** All nodes of a simulation: one informer tells each node of its pods, as a kubelet's own watch would. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import type { Informer } from '#client/informer.ts'
import { SimulatedNode } from './simulated-node.ts'

export type SimulatedNodesOptions = {
  readonly names: readonly string[]
  /** Reads the pods of all nodes. */
  readonly client: Client
  /** What the node of this name writes with. */
  readonly clientOf: (name: string) => Client
  readonly clock: Clock
  readonly randomOf: (name: string) => RandomSource
  readonly log: Logger
  readonly onPodStarted: (uid: string, node: string) => void
  readonly onPodStopped: (uid: string) => void
}

const BY_NODE = 'node'

export class SimulatedNodes {
  readonly #nodes = new Map<string, SimulatedNode>()
  readonly #pods: Informer<Pod>

  constructor(options: SimulatedNodesOptions, signal: AbortSignal) {
    const { client, clientOf, clock, log, randomOf, onPodStarted, onPodStopped } = options
    const informers = new SharedInformerFactory({ client, clock, random: randomOf('informers'), log })
    this.#pods = informers.informer(PODS)
    this.#pods.addIndex(BY_NODE, (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []))
    for (const [index, name] of options.names.entries()) {
      const own = { client: clientOf(name), random: randomOf(name) }
      const node = new SimulatedNode({ name, number: index + 1, clock, log, onPodStarted, onPodStopped, ...own })
      node.lookup = (key) => this.#pods.get(key)
      this.#nodes.set(name, node)
    }
    this.#pods.addHandler({
      added: (pod) => this.#nodeOf(pod)?.podChanged(pod),
      updated: (pod, old) => {
        if (old.metadata.uid !== pod.metadata.uid) this.#nodeOf(old)?.podGone(old)
        this.#nodeOf(pod)?.podChanged(pod)
      },
      deleted: (pod) => this.#nodeOf(pod)?.podGone(pod),
    })
    informers.start(signal)
  }

  start(name: string): void {
    const node = this.#get(name)
    node.start()
    for (const pod of this.#pods.byIndex(BY_NODE, name)) node.podChanged(pod)
  }

  crash(name: string): void {
    this.#get(name).crash()
  }

  isUp(name: string): boolean {
    return this.#nodes.get(name)?.isUp ?? false
  }

  #get(name: string): SimulatedNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no simulated node ${name}`)
    return node
  }

  #nodeOf(pod: Pod): SimulatedNode | undefined {
    return pod.spec.nodeName ? this.#nodes.get(pod.spec.nodeName) : undefined
  }
}
