/** Writes this node's events to the API server, one after the other; equal ones are counted up in the same object. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { randomNameSuffix, type RandomSource } from '#base/random.ts'
import type { Event } from '#api/core/v1.gen.ts'
import { EVENTS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder, ObjectReference } from '#client/event-recorder.ts'
import { formatTime } from './pods/pod-conditions.ts'

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
  #sending: Promise<void> | null = null

  constructor(options: ApiEventRecorderOptions) {
    this.#options = options
  }

  event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#queue.length >= QUEUE_MAX) return
    this.#queue.push({ about, type, reason, message })
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
    })
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
      source: { component, host },
      reportingComponent: component,
      reportingInstance: host,
    })
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(key, { name, count: 1 })
  }
}
