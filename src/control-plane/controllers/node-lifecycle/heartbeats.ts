/** Remembers when each node was heard of last: its posted status, or the renewal of its lease. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Node } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import { conditionOf } from './plan.ts'

/** `heardAtMs` is by this process's own clock: the nodes' clocks may differ. */
type Heartbeat = { heardAtMs: number; lastHeartbeatTime: string | undefined; hasPosted: boolean }

export class Heartbeats {
  readonly #clock: Clock
  readonly #heard = new Map<string, Heartbeat>()
  readonly #renewTimes = new Map<string, string | undefined>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  hearNode(node: Node): void {
    const { name, creationTimestamp } = node.metadata
    const ready = conditionOf(node, 'Ready')
    const known = this.#heard.get(name)
    const hasPosted = ready !== undefined
    const lastHeartbeatTime = ready?.lastHeartbeatTime
    if (known !== undefined && known.hasPosted === hasPosted && known.lastHeartbeatTime === lastHeartbeatTime) return
    const now = this.#clock.monotonic()
    // A node that never posted is as old as its object, also when this process has just started.
    const ageMs = hasPosted || known !== undefined ? 0 : this.#clock.now() - Date.parse(creationTimestamp ?? '')
    this.#heard.set(name, { heardAtMs: Number.isFinite(ageMs) ? now - ageMs : now, lastHeartbeatTime, hasPosted })
    if (known === undefined && this.#renewTimes.has(name)) this.#heard.get(name)!.heardAtMs = now
  }

  hearLease({ metadata: { name }, spec }: Lease): void {
    const renewTime = spec?.renewTime
    if (this.#renewTimes.has(name) && !isLater(renewTime, this.#renewTimes.get(name))) return
    this.#renewTimes.set(name, renewTime)
    const heartbeat = this.#heard.get(name)
    if (heartbeat !== undefined) heartbeat.heardAtMs = this.#clock.monotonic()
  }

  forgetNode(name: string): void {
    this.#heard.delete(name)
  }

  forgetLease(name: string): void {
    this.#renewTimes.delete(name)
  }

  /** Zero for a node that nobody has told of. */
  silentMs(name: string): number {
    const heartbeat = this.#heard.get(name)
    return heartbeat === undefined ? 0 : this.#clock.monotonic() - heartbeat.heardAtMs
  }

  /** After a time in which nobody could be heard, everybody gets a new chance. */
  reset(): void {
    const now = this.#clock.monotonic()
    for (const heartbeat of this.#heard.values()) heartbeat.heardAtMs = now
  }
}

function isLater(time: string | undefined, than: string | undefined): boolean {
  return time !== undefined && (than === undefined || Date.parse(time) > Date.parse(than))
}
