/** Writes events to the API server, one after the other; equal ones are counted up in the same object, floods are dropped. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { randomNameSuffix, type RandomSource } from '#base/random.ts'
import type { Event } from '#api/core/v1.gen.ts'
import { EVENTS } from '#api/resources.gen.ts'
import type { Client } from './client.ts'
import type { EventRecorder, ObjectReference } from './event-recorder.ts'

export type ApiEventRecorderOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly component: string
  readonly host: string
}

/** Events that wait for the API server; a flood beyond is dropped. */
const QUEUE_MAX = 1000
/** Objects whose repetition is remembered. */
const KNOWN_MAX = 4096

/** client-go's spam filter: so many events about one object at once, then one every five minutes. */
const BURST_PER_OBJECT = 25
const REFILL_MS = 300_000

type Bucket = { tokens: number; refilledAtMs: number }
type Pending = {
  readonly about: ObjectReference
  readonly type: string
  readonly reason: string
  readonly message: string
}
type Known = { readonly name: string; count: number }

export class ApiEventRecorder implements EventRecorder {
  readonly #options: ApiEventRecorderOptions
  readonly #queue: Pending[] = []
  readonly #known = new Map<string, Known>()
  readonly #buckets = new Map<string, Bucket>()
  #sending: Promise<void> | null = null

  constructor(options: ApiEventRecorderOptions) {
    this.#options = options
  }

  event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#queue.length >= QUEUE_MAX || !this.#takeToken(about)) return
    this.#queue.push({ about, type, reason, message })
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
    })
  }

  #takeToken({ kind, uid, name }: ObjectReference): boolean {
    const now = this.#options.clock.now()
    const key = `${kind} ${uid} ${name}`
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      if (this.#buckets.size >= KNOWN_MAX) this.#buckets.clear()
      this.#buckets.set(key, (bucket = { tokens: BURST_PER_OBJECT, refilledAtMs: now }))
    }
    const refill = Math.floor((now - bucket.refilledAtMs) / REFILL_MS)
    bucket.tokens = Math.min(BURST_PER_OBJECT, bucket.tokens + refill)
    bucket.refilledAtMs += refill * REFILL_MS
    if (bucket.tokens === 0) return false
    bucket.tokens--
    return true
  }

  /** Resolves when nothing waits to be written. */
  async flush(): Promise<void> {
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    for (let pending = this.#queue.shift(); pending; pending = this.#queue.shift()) {
      try {
        await this.#send(pending)
      } catch (error) {
        this.#options.log.warn('event could not be written', { reason: pending.reason, error: String(error) })
      }
    }
  }

  async #send({ about, type, reason, message }: Pending): Promise<void> {
    const { client, clock, random, component, host } = this.#options
    const key = JSON.stringify([about.kind, about.uid, about.fieldPath, type, reason, message])
    const namespace = about.namespace ?? 'default'
    const now = formatTime(clock.now())
    const known = this.#known.get(key)
    if (known) {
      const body = { count: known.count + 1, lastTimestamp: now }
      const patched = await client
        .patch<Event>(EVENTS, namespace, known.name, 'strategic', body)
        .catch(() => this.#known.delete(key)) // It has expired: the next line writes a new one.
      if (typeof patched === 'object') {
        known.count++
        return
      }
    }
    const name = `${about.name}.${randomNameSuffix(random, 16)}`
    await client.create<Event>(EVENTS, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: { ...about },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component, ...(host === '' ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host,
    })
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(key, { name, count: 1 })
  }
}

const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
