/** Writes the events of a process's components to the API server, one after the other; equal ones are counted up, similar ones combined. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { randomNameSuffix, type RandomSource } from '#base/random.ts'
import type { Event } from '#api/core/v1.gen.ts'
import { EVENTS } from '#api/resources.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Client } from './client.ts'
import { EventCorrelator, type CorrelatedEvent, type EventFacts } from './event-correlator.ts'
import type { EventBroadcaster, EventRecorder, ObjectReference } from './event-recorder.ts'
import { isNamespaceTerminating } from './namespace-terminating.ts'

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

type Pending = { readonly component: string; readonly facts: EventFacts; readonly correlated: CorrelatedEvent }

export class ApiEventRecorder implements EventRecorder, EventBroadcaster {
  readonly #options: ApiEventRecorderOptions
  readonly #own: EventRecorder
  readonly #queue: Pending[] = []
  #sending: Promise<void> | null = null

  constructor(options: ApiEventRecorderOptions) {
    this.#options = options
    this.#own = this.recorderOf(options.component)
  }

  event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#own.event(about, type, reason, message)
  }

  recorderOf(component: string): EventRecorder {
    const { clock } = this.#options
    const correlator = new EventCorrelator(clock)
    return {
      event: (about, type, reason, message) => {
        if (this.#queue.length >= QUEUE_MAX) return
        const facts: EventFacts = { about, type, reason, message, atMs: clock.now() }
        const correlated = correlator.correlate(facts)
        if (correlated !== null) this.#enqueue({ component, facts, correlated })
      },
    }
  }

  #enqueue(pending: Pending): void {
    this.#queue.push(pending)
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
        const { log } = this.#options
        const fields = { reason: pending.facts.reason, error: String(error) }
        if (isNamespaceTerminating(error)) log.debug('event about what is being deleted', fields)
        else log.warn('event could not be written', fields)
      }
    }
  }

  async #send({ component, facts, correlated }: Pending): Promise<void> {
    const { known } = correlated
    if (known.name !== null && (await this.#countUp(known.name, facts, correlated))) return
    known.name = await this.#create(component, facts, correlated)
  }

  /** False when the event has expired meanwhile: a new one takes its place. */
  async #countUp(name: string, { about, atMs }: EventFacts, { count, message }: CorrelatedEvent): Promise<boolean> {
    const body = { message, count, lastTimestamp: formatTime(atMs) }
    try {
      await this.#options.client.patch<Event>(EVENTS, about.namespace ?? 'default', name, 'strategic', body)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async #create(
    component: string,
    { about, type, reason, atMs }: EventFacts,
    correlated: CorrelatedEvent,
  ): Promise<string> {
    const { client, random, host } = this.#options
    const name = `${about.name}.${randomNameSuffix(random, 16)}`
    await client.create<Event>(EVENTS, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: about.namespace ?? 'default' },
      involvedObject: { ...about },
      type,
      reason,
      message: correlated.message,
      count: correlated.count,
      firstTimestamp: formatTime(correlated.known.firstAtMs),
      lastTimestamp: formatTime(atMs),
      source: { component, ...(host === '' ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host,
    })
    return name
  }
}

const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
