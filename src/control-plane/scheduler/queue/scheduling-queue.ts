/**
 * Pods that wait for a node: ready ones by priority, those that failed lately until their backoff ends, those that nothing has helped
 * yet, and those behind a gate. Follows upstream's PriorityQueue.
 */
import type { Clock, Timer } from '#base/clock.ts'
import { KeyedHeap } from '#base/heap.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { ClusterEvent, Plugin, Rejection } from '../framework.ts'

export type QueuedPod = {
  readonly uid: string
  pod: Pod
  /** When it first came, for equal priorities and latency figures. */
  readonly addedAtMs: number
  attempts: number
  /** When its present attempt began, on the monotonic clock. */
  startedAtMs: number
  lastFailedAtMs: number
  /** Plugins that rejected it; an event has to help one of them. Empty after an error: any event does. */
  rejectedBy: readonly string[]
}

export type QueueOptions = {
  readonly clock: Clock
  readonly plugins: readonly Plugin[]
  readonly initialBackoffMs?: number
  readonly maxBackoffMs?: number
}

/** Upstream's podInitialBackoffSeconds and podMaxBackoffSeconds. */
const INITIAL_BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 10_000
/** A pod that no event has helped is tried again after this time, in case an event was missed. */
const UNSCHEDULABLE_MS_MAX = 5 * 60_000

export class SchedulingQueue {
  readonly #options: QueueOptions
  readonly #active: KeyedHeap<QueuedPod>
  readonly #backoff: KeyedHeap<QueuedPod>
  readonly #unschedulable = new Map<string, QueuedPod>()
  readonly #gated = new Map<string, QueuedPod>()
  /** Pods that a cycle works on, with the events that came since: they may have helped before the failure is known. */
  readonly #inFlight = new Map<string, ClusterEvent[]>()
  #backoffTimer: Timer | null = null
  #wakeReader: (() => void) | null = null
  #closed = false

  constructor(options: QueueOptions) {
    this.#options = options
    this.#active = new KeyedHeap((queued) => queued.uid, isMoreUrgent)
    this.#backoff = new KeyedHeap(
      (queued) => queued.uid,
      (a, b) => this.#backoffEndsAt(a) < this.#backoffEndsAt(b),
    )
  }

  /** Numbers of waiting pods by queue, as the metric scheduler_pending_pods names them. */
  counts(): Readonly<Record<'active' | 'backoff' | 'unschedulable' | 'gated', number>> {
    return {
      active: this.#active.size,
      backoff: this.#backoff.size,
      unschedulable: this.#unschedulable.size,
      gated: this.#gated.size,
    }
  }

  /** A pod without a node that is new to us. */
  add(pod: Pod): void {
    const now = this.#options.clock.now()
    this.#enqueue({
      uid: pod.metadata.uid,
      pod,
      addedAtMs: now,
      attempts: 0,
      startedAtMs: 0,
      lastFailedAtMs: 0,
      rejectedBy: [],
    })
  }

  /** What kept the pod behind a gate may have ended. */
  recheckGate(uid: string): void {
    const queued = this.#gated.get(uid)
    if (queued === undefined) return
    this.#gated.delete(uid)
    this.#enqueueAfterBackoff(queued)
  }

  /** Tries the pod again although no event was seen that would help it. */
  activate(uid: string): void {
    const queued = this.#unschedulable.get(uid)
    if (queued === undefined) return this.recheckGate(uid)
    this.#unschedulable.delete(uid)
    this.#enqueueAfterBackoff(queued)
  }

  /** A waiting pod changed: it may be schedulable now. */
  update(pod: Pod, old: Pod): void {
    const uid = pod.metadata.uid
    const queued = this.#find(uid)
    if (queued === undefined) {
      if (!this.#inFlight.has(uid)) this.add(pod)
      return
    }
    queued.pod = pod
    if (this.#active.get(uid)) return this.#active.set(queued)
    if (this.#gated.has(uid)) {
      this.#gated.delete(uid)
      return this.#enqueue(queued)
    }
    if (
      this.#unschedulable.has(uid) &&
      this.#isHelped(queued, { resource: 'unscheduled-pod', action: 'update', object: pod, old })
    ) {
      this.#unschedulable.delete(uid)
      this.#enqueueAfterBackoff(queued)
    }
  }

  remove(uid: string): void {
    this.#active.delete(uid)
    this.#backoff.delete(uid)
    this.#unschedulable.delete(uid)
    this.#gated.delete(uid)
  }

  /** The most urgent pod; waits until there is one. Null when the queue is closed. Call `done` or `fail` afterwards. */
  async pop(): Promise<QueuedPod | null> {
    for (;;) {
      if (this.#closed) return null
      const queued = this.#active.pop()
      if (queued !== undefined) {
        queued.attempts++
        this.#inFlight.set(queued.uid, [])
        return queued
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
  }

  /** The pod is bound, or gone. */
  done(uid: string): void {
    this.#inFlight.delete(uid)
  }

  /** No node for it now (`rejectedBy` names the plugins), or an error (empty): it waits for an event or its backoff. */
  fail(queued: QueuedPod, pod: Pod, rejectedBy: readonly string[]): void {
    const missed = this.#inFlight.get(queued.uid) ?? []
    this.#inFlight.delete(queued.uid)
    queued.pod = pod
    queued.rejectedBy = rejectedBy
    queued.lastFailedAtMs = this.#options.clock.now()
    const isHelped = rejectedBy.length === 0 || missed.some((event) => this.#isHelped(queued, event))
    if (isHelped) this.#enqueueAfterBackoff(queued)
    else this.#unschedulable.set(queued.uid, queued)
  }

  /** Wakes the pods that the event may help. */
  notice(event: ClusterEvent): void {
    for (const events of this.#inFlight.values()) events.push(event)
    for (const [uid, queued] of this.#unschedulable) {
      if (!this.#isHelped(queued, event)) continue
      this.#unschedulable.delete(uid)
      this.#enqueueAfterBackoff(queued)
    }
  }

  /** Tries all pods again that have waited too long; called about every 30 seconds. */
  flushOld(): void {
    const now = this.#options.clock.now()
    for (const [uid, queued] of this.#unschedulable) {
      if (now - queued.lastFailedAtMs < UNSCHEDULABLE_MS_MAX) continue
      this.#unschedulable.delete(uid)
      this.#enqueueAfterBackoff(queued)
    }
  }

  close(): void {
    this.#closed = true
    this.#backoffTimer?.cancel()
    this.#wake()
  }

  #find(uid: string): QueuedPod | undefined {
    return this.#active.get(uid) ?? this.#backoff.get(uid) ?? this.#unschedulable.get(uid) ?? this.#gated.get(uid)
  }

  #isHelped(queued: QueuedPod, event: ClusterEvent): boolean {
    if (queued.rejectedBy.length === 0) return true
    return this.#options.plugins.some(
      (plugin) => queued.rejectedBy.includes(plugin.name) && (plugin.isHelpedBy?.(queued.pod, event) ?? false),
    )
  }

  #gateOf(pod: Pod): Rejection | null {
    for (const plugin of this.#options.plugins) {
      const rejection = plugin.preEnqueue?.(pod) ?? null
      if (rejection !== null) return rejection
    }
    return null
  }

  #enqueue(queued: QueuedPod): void {
    if (this.#gateOf(queued.pod) !== null) {
      this.#gated.set(queued.uid, queued)
      return
    }
    this.#active.set(queued)
    this.#wake()
  }

  #enqueueAfterBackoff(queued: QueuedPod): void {
    const waitMs = this.#backoffEndsAt(queued) - this.#options.clock.now()
    if (waitMs <= 0) return this.#enqueue(queued)
    this.#backoff.set(queued)
    this.#awaitBackoff()
  }

  /** One timer, for the pod whose backoff ends first. */
  #awaitBackoff(): void {
    this.#backoffTimer?.cancel()
    const next = this.#backoff.peek()
    if (next === undefined) return
    const waitMs = Math.max(0, this.#backoffEndsAt(next) - this.#options.clock.now())
    this.#backoffTimer = this.#options.clock.setTimer(waitMs, () => this.#endBackoff())
  }

  #endBackoff(): void {
    const now = this.#options.clock.now()
    for (
      let next = this.#backoff.peek();
      next !== undefined && this.#backoffEndsAt(next) <= now;
      next = this.#backoff.peek()
    ) {
      this.#backoff.delete(next.uid)
      this.#enqueue(next)
    }
    // Timers of a real machine may fire a little early.
    this.#awaitBackoff()
  }

  #backoffEndsAt(queued: QueuedPod): number {
    if (queued.attempts === 0) return 0
    const initial = this.#options.initialBackoffMs ?? INITIAL_BACKOFF_MS
    const max = this.#options.maxBackoffMs ?? MAX_BACKOFF_MS
    return queued.lastFailedAtMs + Math.min(max, initial * 2 ** Math.min(queued.attempts - 1, 30))
  }

  #wake(): void {
    this.#wakeReader?.()
    this.#wakeReader = null
  }
}

/** Higher priority first, then first come first served (upstream's PrioritySort). */
function isMoreUrgent(a: QueuedPod, b: QueuedPod): boolean {
  const [priorityA, priorityB] = [a.pod.spec.priority ?? 0, b.pod.spec.priority ?? 0]
  return priorityA === priorityB ? a.addedAtMs < b.addedAtMs : priorityA > priorityB
}
