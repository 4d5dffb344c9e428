/** Lists one resource and follows its changes for as long as it lives: whatever breaks, it finds its way back to the server's state. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Status } from '#machinery/meta/v1.gen.ts'
import { StatusError, isExpired } from '#machinery/status-error.ts'
import type { Client, WatchEvent } from './client.ts'

export type ReflectorOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** What the reflector keeps up to date. */
export interface ReflectorSink<T> {
  /** All objects there are; whatever else was known is gone. */
  replace(items: readonly T[]): void
  put(object: T): void
  drop(object: T): void
}

/** client-go begins with 800 ms. A node whose agent is a moment early would wait that long for an API server that is about to answer. */
const [BACKOFF_MS_MIN, BACKOFF_MS_MAX, BACKOFF_RESET_MS] = [100, 30_000, 120_000]
/** The server ends a watch after 5 to 10 minutes, so that watchers spread over servers again. */
const WATCH_SECONDS_MIN = 300
/** A watch that ends so soon without an event is a failure: opened again at once, it would never pause. */
const SHORT_WATCH_MS = 1000
/** client-go's page. */
const PAGE_OBJECTS_MAX = 500
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'
/** How servers that do not know `sendInitialEvents` refuse it. */
const REFUSALS: readonly string[] = ['Invalid', 'BadRequest', 'Forbidden']

export class Reflector<T extends KubernetesObject> {
  readonly #resource: ResourceRef<T>
  readonly #options: ReflectorOptions
  readonly #sink: ReflectorSink<T>
  /** Newest revision seen; a watch continues from it. Empty before the first list, and after it expired. */
  #revision = ''
  #canStreamLists = true

  constructor(resource: ResourceRef<T>, sink: ReflectorSink<T>, options: ReflectorOptions) {
    this.#resource = resource
    this.#sink = sink
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options
    let backoffMs = BACKOFF_MS_MIN
    while (!signal.aborted) {
      const startedAtMs = clock.monotonic()
      try {
        await this.#listAndWatch(signal)
        backoffMs = BACKOFF_MS_MIN
        continue // The server ended the watch in an orderly way: go on from the last revision.
      } catch (error) {
        if (signal.aborted) return
        this.#handleFailure(error)
      }
      if (clock.monotonic() - startedAtMs > BACKOFF_RESET_MS) backoffMs = BACKOFF_MS_MIN
      await clock.sleep(backoffMs * (1 + random.next()), signal).catch(() => {}) // Aborted: the loop ends by itself.
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
    }
  }

  #handleFailure(error: unknown): void {
    const { log } = this.#options
    const fields = { resource: this.#resource.resource, error: String(error) }
    if (!isExpired(error) && !isAheadOfServer(error)) return log.warn('list and watch failed', fields)
    this.#revision = ''
    log.debug('the watch has to start over', fields)
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    if (this.#revision === '' && this.#canStreamLists) {
      if (await this.#streamListAndWatch(signal)) return
    }
    if (this.#revision === '') await this.#list(signal)
    const { clock, client } = this.#options
    const startedAtMs = clock.monotonic()
    const options = { resourceVersion: this.#revision, allowWatchBookmarks: true, timeoutSeconds: this.#watchSeconds() }
    let sawEvents = false
    for await (const batch of client.watch(this.#resource, '', options, signal)) {
      sawEvents = true
      this.#applyAll(batch)
    }
    if (!sawEvents && !signal.aborted && clock.monotonic() - startedAtMs < SHORT_WATCH_MS)
      throw new Error('the watch ended at once, without an event')
  }

  /** Page by page; when the pages expire on the way, all at once. */
  async #list(signal: AbortSignal): Promise<void> {
    const { client } = this.#options
    const items: T[] = []
    let page = await client.list(this.#resource, '', { limit: PAGE_OBJECTS_MAX }, signal)
    items.push(...page.items)
    while (page.metadata.continue) {
      try {
        const options = { limit: PAGE_OBJECTS_MAX, continue: page.metadata.continue }
        page = await client.list(this.#resource, '', options, signal)
      } catch (error) {
        if (!isExpired(error)) throw error
        page = await client.list(this.#resource, '', {}, signal)
        items.length = 0
      }
      for (const item of page.items) items.push(item)
    }
    this.#sink.replace(items)
    this.#revision = page.metadata.resourceVersion ?? ''
  }

  /** The list arrives as the first events of the watch (WatchList). False: the server does not know that, and has to be listed. */
  async #streamListAndWatch(signal: AbortSignal): Promise<boolean> {
    const initial: T[] = []
    let isComplete = false
    const options = { sendInitialEvents: true, allowWatchBookmarks: true, timeoutSeconds: this.#watchSeconds() }
    try {
      for await (const batch of this.#options.client.watch(this.#resource, '', options, signal)) {
        if (isComplete) this.#applyAll(batch)
        else isComplete = this.#applyInitial(batch, initial)
      }
    } catch (error) {
      if (isComplete || !(error instanceof StatusError) || !REFUSALS.includes(error.reason)) throw error
      this.#canStreamLists = false
      return false
    }
    if (!isComplete) throw new Error('the watch ended before the initial list was complete')
    return true
  }

  /** Collects the initial objects; true when the bookmark that ends them was in this batch. */
  #applyInitial(batch: readonly WatchEvent<T>[], initial: T[]): boolean {
    for (const [position, event] of batch.entries()) {
      if (event.type === 'ERROR') throw StatusError.fromStatus(event.object as Status)
      const object = event.object as T
      if (event.type !== 'BOOKMARK') initial.push(object)
      if (object.metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') continue
      this.#sink.replace(initial)
      this.#revision = object.metadata.resourceVersion
      this.#applyAll(batch.slice(position + 1))
      return true
    }
    return false
  }

  #watchSeconds(): number {
    return Math.floor(WATCH_SECONDS_MIN * (1 + this.#options.random.next()))
  }

  #applyAll(batch: readonly WatchEvent<T>[]): void {
    for (const event of batch) {
      if (event.type === 'ERROR') throw StatusError.fromStatus(event.object)
      const { type, object } = event
      if (type === 'ADDED' || type === 'MODIFIED') this.#sink.put(object)
      else if (type === 'DELETED') this.#sink.drop(object)
      this.#revision = object.metadata.resourceVersion
    }
  }
}

/** The server was restored from an older state: it does not know the revision yet, and may never. */
function isAheadOfServer(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true
  )
}
