/** Lets one of several processes act at a time: the holder of a Lease works, the others wait until it is given up or expires. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import { LEASES } from '#api/resources.gen.ts'
import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'
import type { Client } from './client.ts'
import type { EventRecorder } from './event-recorder.ts'
import { callWithTimeLimit } from './time-limit.ts'

export type LeaderElectionOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly events: EventRecorder
  readonly namespace: string
  readonly name: string
  /** Unique per process: host name and a random part. */
  readonly identity: string
  /** How long others leave an unrenewed Lease alone. */
  readonly leaseDurationMs?: number
  /** The leader that has not renewed for this long stops acting; shorter than the lease, so that nobody else has begun by then. */
  readonly renewDeadlineMs?: number
  readonly retryPeriodMs?: number
}

/** Upstream's values of `--leader-elect-…`. */
export const [LEASE_DURATION_MS, RENEW_DEADLINE_MS, RETRY_PERIOD_MS] = [15_000, 10_000, 2_000]
/** Waiting processes do not ask in step (client-go's JitterFactor). */
const JITTER_FACTOR = 1.2

export class LeadershipLostError extends Error {
  constructor(lease: string) {
    super(`the lease ${lease} could not be renewed in time: another process may act now`)
    this.name = 'LeadershipLostError'
  }
}

/**
 * Waits for the Lease, then runs `lead`. The signal it gets aborts when `signal` does or when the lease is lost; until it has ended the
 * lease is renewed, then given up. Throws LeadershipLostError, or what `lead` threw.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await new LeaderElector(options).run(lead, signal)
}

type Timing = { readonly leaseDurationMs: number; readonly renewDeadlineMs: number; readonly retryPeriodMs: number }

class LeaderElector {
  readonly #options: LeaderElectionOptions
  readonly #timing: Timing
  readonly #label: string
  /** The Lease as last read or written; null when the next attempt has to read it. */
  #lease: Lease | null = null
  /** For the events about it. */
  #uid = ''
  /** What others wrote last, and when this process saw it: their clocks do not count. */
  #observed: { readonly spec: string; readonly atMs: number } = { spec: '', atMs: 0 }
  /** Start of the last attempt that succeeded. */
  #renewedAtMs = 0

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#timing = {
      leaseDurationMs: options.leaseDurationMs ?? LEASE_DURATION_MS,
      renewDeadlineMs: options.renewDeadlineMs ?? RENEW_DEADLINE_MS,
      retryPeriodMs: options.retryPeriodMs ?? RETRY_PERIOD_MS,
    }
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = this.#timing
    assert(leaseDurationMs > renewDeadlineMs, 'leaseDuration must be greater than renewDeadline')
    assert(
      renewDeadlineMs > JITTER_FACTOR * retryPeriodMs,
      'renewDeadline must be greater than retryPeriod*JitterFactor',
    )
    this.#label = `${options.namespace}/${options.name}`
  }

  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (!(await this.#acquire(signal))) return
    const leading = new AbortController()
    const onAbort = (): void => leading.abort(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const ended = new AbortController()
    const renewing = this.#renewUntil(ended.signal, () => leading.abort(new LeadershipLostError(this.#label)))
    let failure: unknown = null
    try {
      await lead(leading.signal)
    } catch (error) {
      failure = error
    }
    ended.abort(new Error('no longer leading'))
    signal.removeEventListener('abort', onAbort)
    const isLost = await renewing
    if (!isLost) await this.#release()
    this.#record('stopped leading')
    if (isLost) throw new LeadershipLostError(this.#label)
    if (failure !== null && !signal.aborted) throw failure
  }

  /** False when `signal` aborted first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, log } = this.#options
    log.info('attempting to acquire leader lease', { lease: this.#label })
    while (!signal.aborted) {
      if (await this.#attempt(this.#timing.renewDeadlineMs, signal)) {
        log.info('became leader', { lease: this.#label })
        this.#record('became leader')
        return true
      }
      const waitMs = this.#timing.retryPeriodMs * (1 + JITTER_FACTOR * random.next())
      await clock.sleep(waitMs, signal).catch(() => {}) // Aborted: the loop ends by itself.
    }
    return false
  }

  /** True when the lease was lost; the loss is told at once, before anyone else may begin. */
  async #renewUntil(ended: AbortSignal, onLost: () => void): Promise<boolean> {
    const { clock, log } = this.#options
    for (;;) {
      const leftMs = this.#renewedAtMs + this.#timing.renewDeadlineMs - clock.monotonic()
      await clock.sleep(Math.min(this.#timing.retryPeriodMs, Math.max(0, leftMs)), ended).catch(() => {})
      if (ended.aborted) return false
      const stillMs = this.#renewedAtMs + this.#timing.renewDeadlineMs - clock.monotonic()
      const isRenewed = stillMs > 0 && (await this.#attempt(stillMs, ended))
      if (ended.aborted) return false
      if (isRenewed || (stillMs > 0 && this.#isHeldByMe())) continue
      log.error('failed to renew leader lease', { lease: this.#label })
      onLost()
      return true
    }
  }

  #isHeldByMe(): boolean {
    return this.#lease === null || this.#lease.spec.holderIdentity === this.#options.identity
  }

  /** Whether the lease is held after the attempt. A failed call is one more attempt that did not succeed. */
  async #attempt(limitMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#options
    const startedAtMs = clock.monotonic()
    try {
      const isHeld = await callWithTimeLimit(clock, limitMs, signal, (limited) => this.#acquireOrRenew(limited))
      if (isHeld) this.#renewedAtMs = startedAtMs
      return isHeld
    } catch (error) {
      this.#lease = null // Perhaps it was written all the same.
      if (!signal.aborted) log.warn('leader lease', { lease: this.#label, error: String(error) })
      return false
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, clock, identity } = this.#options
    const lease = this.#isLeader() ? this.#lease : await this.#read(signal)
    signal.throwIfAborted()
    if (lease !== null && lease.spec.holderIdentity !== identity && this.#isValid(lease)) return false
    const now = formatMicroTime(clock.now())
    const isMine = lease?.spec.holderIdentity === identity
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.leaseDurationMs / 1000),
      acquireTime: isMine ? (lease.spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: lease === null ? 0 : (lease.spec.leaseTransitions ?? 0) + (isMine ? 0 : 1),
    }
    try {
      this.#lease =
        lease === null
          ? await client.create<Lease>(LEASES, { metadata: this.#metadata(), spec }, signal)
          : await client.update<Lease>(LEASES, { ...lease, spec }, signal)
      this.#uid = this.#lease.metadata.uid
    } catch (error) {
      if (!isConflict(error) || !isMine) throw error
      return this.#renewAnew(signal)
    }
    return true
  }

  /** Someone else wrote the Lease (its labels, say): what they wrote decides. */
  #renewAnew(signal: AbortSignal): Promise<boolean> {
    this.#lease = null
    return this.#acquireOrRenew(signal)
  }

  #isLeader(): boolean {
    return this.#lease?.spec.holderIdentity === this.#options.identity
  }

  #metadata(): { namespace: string; name: string } {
    return { namespace: this.#options.namespace, name: this.#options.name }
  }

  async #read(signal: AbortSignal): Promise<Lease | null> {
    const { client, clock, namespace, name } = this.#options
    try {
      const lease = await client.get<Lease>(LEASES, namespace, name, signal)
      this.#lease = lease
      const spec = JSON.stringify(lease.spec)
      if (spec !== this.#observed.spec) this.#observed = { spec, atMs: clock.monotonic() }
      return lease
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#lease = null
      return null
    }
  }

  /** Another holder's lease, counted from when this process saw its last change. */
  #isValid({ spec }: Lease): boolean {
    if (!spec.holderIdentity) return false
    return this.#observed.atMs + (spec.leaseDurationSeconds ?? 0) * 1000 > this.#options.clock.monotonic()
  }

  /** So that the next leader need not wait for the lease to expire. */
  async #release(): Promise<void> {
    const { client, clock, log, identity } = this.#options
    const never = new AbortController().signal
    const release = async (signal: AbortSignal): Promise<void> => {
      const lease = await this.#read(signal)
      if (lease?.spec.holderIdentity !== identity) return
      const now = formatMicroTime(clock.now())
      const { leaseTransitions = 0 } = lease.spec
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions }
      try {
        this.#lease = await client.update<Lease>(LEASES, { ...lease, spec }, signal)
      } catch (error) {
        if (!isConflict(error)) throw error
        await release(signal)
      }
    }
    try {
      await callWithTimeLimit(clock, this.#timing.renewDeadlineMs, never, release)
    } catch (error) {
      log.warn('leader lease could not be released: it expires', { lease: this.#label, error: String(error) })
    }
  }

  #record(what: string): void {
    const { events, identity } = this.#options
    const about = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...this.#metadata(), uid: this.#uid }
    events.event(about, 'Normal', 'LeaderElection', `${identity} ${what}`)
  }
}

function formatMicroTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
