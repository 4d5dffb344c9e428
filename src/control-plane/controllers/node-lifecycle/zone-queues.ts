/** The zones of the cluster with their eviction queues: gives waiting nodes their NoExecute taint, one at a time per zone. */
import type { Node } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Informer } from '#client/informer.ts'
import type { Result } from '../controller.ts'
import { formatTime } from '../object-key.ts'
import { EvictionQueue } from './eviction-queue.ts'
import type { NodeWriter } from './node-writer.ts'
import type { NodeLifecycleOptions } from './options.ts'
import { needsNoExecuteTurn, planNoExecuteTaints } from './plan.ts'
import { planDisruption, zoneOf, type DisruptionPlan, type ZoneHealth, type ZoneState } from './zones.ts'

export type ZoneQueuesOptions = {
  readonly clock: Clock
  readonly writer: NodeWriter
  readonly nodes: Informer<Node>
  readonly options: NodeLifecycleOptions
}

export class ZoneQueues {
  readonly #parts: ZoneQueuesOptions
  readonly #queues = new Map<string, EvictionQueue>()
  #states: ReadonlyMap<string, ZoneState> = new Map()
  /** Called with each zone in which a node waits, whenever the zones' health is known anew. */
  onWaiting: (zone: string) => void = () => {}

  constructor(parts: ZoneQueuesOptions) {
    this.#parts = parts
  }

  /** The node's turn comes at the earliest when its zone's health is known. */
  add(node: Node): void {
    const zone = zoneOf(node)
    for (const [other, queue] of this.#queues) if (other !== zone) queue.remove(node.metadata.name)
    this.#queueOf(zone).add(node.metadata.name)
  }

  remove(name: string): void {
    for (const queue of this.#queues.values()) queue.remove(name)
  }

  /** Taints the zone's first node when the rate allows it, and says when to come for the next. */
  async taintNext(zone: string, signal: AbortSignal): Promise<Result> {
    const queue = this.#queueOf(zone)
    for (let name = queue.first(); name !== null; name = queue.first()) {
      const waitMs = queue.waitMs()
      if (waitMs > 0) return Number.isFinite(waitMs) ? { requeueAfterMs: waitMs } : {}
      const node = this.#parts.nodes.get(name)
      if (node === undefined || !needsNoExecuteTurn(node)) queue.remove(name)
      else {
        try {
          await this.#taint(node, signal)
        } catch (error) {
          // One node that cannot be written must not keep the whole zone from being emptied.
          queue.postpone(name)
          throw error
        }
        queue.take(name)
      }
    }
    return {}
  }

  /** Brings each zone's rate in line with its health. */
  follow(health: ReadonlyMap<string, ZoneHealth>): DisruptionPlan {
    const plan = planDisruption(this.#states, health, this.#parts.options)
    this.#states = plan.states
    for (const [zone, rate] of plan.rates) this.#queueOf(zone).setRate(rate)
    for (const [zone, queue] of this.#queues) if (queue.first() !== null) this.onWaiting(zone)
    return plan
  }

  async #taint(node: Node, signal: AbortSignal): Promise<void> {
    const now = formatTime(this.#parts.clock.now())
    await this.#parts.writer.changeTaints(node, (current) => planNoExecuteTaints(current, now), signal)
  }

  #queueOf(zone: string): EvictionQueue {
    const known = this.#queues.get(zone)
    if (known !== undefined) return known
    const { clock, options } = this.#parts
    const queue = new EvictionQueue(clock, options.nodeEvictionRate)
    this.#queues.set(zone, queue)
    return queue
  }
}
