/** Looks at all nodes: who was silent for too long becomes Unknown, who is not ready waits for its zone's turn to be emptied. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Node, Pod, Taint } from '#api/core/v1.gen.ts'
import { LEASES, NODES, PODS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { Informer, InformerFactory } from '#client/informer.ts'
import { StatusError, isConflict, isNotFound } from '#machinery/status-error.ts'
import { formatTime, referenceTo } from '../object-key.ts'
import { PodsByNode } from '../pods/pods-by-node.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { NodeWriter } from './node-writer.ts'
import type { NodeLifecycleOptions } from './options.ts'
import {
  conditionOf,
  isMarkedSilent,
  needsNoExecuteTurn,
  planNoExecuteTaints,
  planReachable,
  planRecovered,
} from './plan.ts'
import type { ZoneQueues } from './zone-queues.ts'
import { isExcludedFromDisruption, zoneOf, type ZoneHealth } from './zones.ts'

export type HealthMonitorOptions = {
  readonly controller: string
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventRecorder
  readonly informers: InformerFactory
  readonly writer: NodeWriter
  readonly heartbeats: Heartbeats
  readonly zones: ZoneQueues
  readonly options: NodeLifecycleOptions
}

/** Nodes that are looked at together; between two such groups other work runs. */
const CONCURRENT_NODES = 8
const LEASE_NAMESPACE = 'kube-node-lease'

export class HealthMonitor {
  readonly #parts: HealthMonitorOptions
  readonly #nodes: Informer<Node>
  readonly #leases: Informer<Lease>
  readonly #pods: PodsByNode
  /** Nodes whose pods could not all be marked not ready. */
  readonly #unfinished = new Set<string>()

  constructor(parts: HealthMonitorOptions) {
    this.#parts = parts
    this.#nodes = parts.informers.informer(NODES)
    this.#leases = parts.informers.informer(LEASES)
    this.#pods = new PodsByNode(parts.informers.informer<Pod>(PODS), parts.controller)
  }

  forget(name: string): void {
    this.#unfinished.delete(name)
  }

  async check(signal: AbortSignal): Promise<void> {
    const nodes = this.#nodes.list()
    const health = new Map<string, ZoneHealth>()
    for (let start = 0; start < nodes.length; start += CONCURRENT_NODES) {
      const group = nodes.slice(start, start + CONCURRENT_NODES)
      const seen = await Promise.all(group.map((node) => this.#checkOne(node, signal)))
      for (const node of seen) if (node !== null) count(health, node)
      if (start % (16 * CONCURRENT_NODES) === 0) await this.#parts.clock.yield()
    }
    const { mode } = this.#parts.zones.follow(health)
    if (mode === 'enter') await this.#spareAll(nodes, signal)
    if (mode === 'leave') this.#parts.heartbeats.reset()
  }

  /** The node as it is now; null when that could not be found out, and the next look has to. */
  async #checkOne(node: Node, signal: AbortSignal): Promise<Node | null> {
    const current = await this.#attempt(node, signal, () => this.#markIfSilent(node, signal))
    if (current === null) return null
    this.#noteLoss(node, current)
    await this.#attempt(node, signal, () => this.#planEviction(current, signal))
    await this.#markPods(current, signal)
    return current
  }

  /** What cannot be written now is written after the next look; it must not hold up what else there is to do. */
  async #attempt<T>(node: Node, signal: AbortSignal, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      if (!signal.aborted) this.#logFailure(node, error)
      return null
    }
  }

  async #markIfSilent(node: Node, signal: AbortSignal): Promise<Node> {
    const { heartbeats, options, writer } = this.#parts
    const { name } = node.metadata
    const hasPosted = conditionOf(node, 'Ready') !== undefined
    const graceMs = hasPosted ? options.nodeMonitorGracePeriodMs : options.nodeStartupGracePeriodMs
    if (heartbeats.silentMs(name) <= graceMs || isMarkedSilent(node)) return node
    return (await this.#isLeaseKnown(name, signal)) ? writer.markSilent(node, signal) : node
  }

  /** False when the API server has a renewal that this process has not been told of: then the silence is its own. */
  async #isLeaseKnown(name: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#leases.get(`${LEASE_NAMESPACE}/${name}`)?.metadata.resourceVersion
    try {
      const live = await this.#parts.client.get<Lease>(LEASES, LEASE_NAMESPACE, name, signal)
      return live.metadata.resourceVersion === known
    } catch (error) {
      if (isNotFound(error)) return true
      throw error
    }
  }

  async #planEviction(node: Node, signal: AbortSignal): Promise<void> {
    const { clock, writer, zones } = this.#parts
    const status = conditionOf(node, 'Ready')?.status
    if (status === undefined) return
    if (status === 'True') await this.#spare(node, planRecovered, signal)
    else if (needsNoExecuteTurn(node)) zones.add(node)
    else {
      // Whoever is being emptied already is only told the other reason.
      const now = formatTime(clock.now())
      await writer.changeTaints(node, (current) => planNoExecuteTaints(current, now), signal)
    }
  }

  /** Only the loss is told of; while a node stays away, nothing new is known of its pods. */
  #noteLoss(before: Node, node: Node): void {
    const wasReady = conditionOf(before, 'Ready')?.status === 'True'
    if (!wasReady || conditionOf(node, 'Ready')?.status === 'True') return
    const { name } = node.metadata
    const message = `Node ${name} status is now: NodeNotReady`
    this.#parts.events.event(referenceTo(NODES, node), 'Normal', 'NodeNotReady', message)
    this.#unfinished.add(name)
  }

  async #markPods(node: Node, signal: AbortSignal): Promise<void> {
    const { name } = node.metadata
    if (!this.#unfinished.has(name)) return
    const isReady = conditionOf(node, 'Ready')?.status === 'True'
    let isFinished = true
    for (const pod of isReady ? [] : this.#pods.of(name)) {
      const mark = async (): Promise<true> => this.#parts.writer.markPodNotReady(pod, signal).then(() => true)
      if ((await this.#attempt(node, signal, mark)) === null) isFinished = false
    }
    if (isFinished) this.#unfinished.delete(name)
  }

  /** When nobody answers, it is more likely that nobody can be heard. */
  async #spareAll(nodes: readonly Node[], signal: AbortSignal): Promise<void> {
    this.#parts.log.info('no node is ready: evictions stop')
    for (const { metadata } of nodes) {
      const node = this.#nodes.get(metadata.name)
      if (node !== undefined && !signal.aborted)
        await this.#attempt(node, signal, () => this.#spare(node, planReachable, signal))
    }
  }

  async #spare(node: Node, plan: (node: Node) => Taint[] | null, signal: AbortSignal): Promise<void> {
    this.#parts.zones.remove(node.metadata.name)
    await this.#parts.writer.changeTaints(node, plan, signal)
  }

  #logFailure({ metadata }: Node, error: unknown): void {
    const isRace = error instanceof StatusError && (isConflict(error) || isNotFound(error))
    const fields = { node: metadata.name, error: String(error) }
    if (isRace) this.#parts.log.debug('the node has changed meanwhile', fields)
    else this.#parts.log.warn('the health of a node could not be written', fields)
  }
}

function count(health: Map<string, ZoneHealth>, node: Node): void {
  if (isExcludedFromDisruption(node)) return
  const zone = zoneOf(node)
  const { ready, notReady } = health.get(zone) ?? { ready: 0, notReady: 0 }
  const isReady = conditionOf(node, 'Ready')?.status === 'True'
  health.set(zone, isReady ? { ready: ready + 1, notReady } : { ready, notReady: notReady + 1 })
}
