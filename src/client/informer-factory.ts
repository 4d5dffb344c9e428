/** Informers over any client: one list-and-watch per resource, a shared view of it, and handlers that hear of every change. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Status } from '#machinery/meta/v1.gen.ts'
import { StatusError, isExpired } from '#machinery/status-error.ts'
import type { Client, WatchEvent } from './client.ts'
import { keyOf, type Informer, type InformerFactory, type InformerHandler } from './informer.ts'
import { ObjectIndex } from './object-index.ts'

export type InformerOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** client-go's backoff of a reflector. */
const [BACKOFF_MS_MIN, BACKOFF_MS_MAX, BACKOFF_RESET_MS] = [800, 30_000, 120_000]
/** The server ends a watch after 5 to 10 minutes, so that watchers spread over servers again. */
const WATCH_SECONDS_MIN = 300
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

export class SharedInformerFactory implements InformerFactory {
  readonly #options: InformerOptions
  readonly #informers = new Map<string, ResourceInformer<KubernetesObject>>()
  #signal: AbortSignal | null = null

  constructor(options: InformerOptions) {
    this.#options = options
  }

  informer<T extends KubernetesObject>(resource: ResourceRef<T>): Informer<T> {
    const name = `${resource.group}/${resource.version}/${resource.resource}`
    let informer = this.#informers.get(name)
    if (informer === undefined) {
      informer = new ResourceInformer<KubernetesObject>(resource, this.#options)
      this.#informers.set(name, informer)
      if (this.#signal !== null) informer.start(this.#signal)
    }
    return informer as unknown as Informer<T>
  }

  start(signal: AbortSignal): void {
    this.#signal = signal
    for (const informer of this.#informers.values()) informer.start(signal)
  }

  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced()))
  }
}

class ResourceInformer<T extends KubernetesObject> implements Informer<T> {
  readonly #resource: ResourceRef<T>
  readonly #options: InformerOptions
  readonly #objects = new ObjectIndex<T>()
  readonly #handlers: InformerHandler<T>[] = []
  readonly #firstList = Promise.withResolvers<void>()
  #hasSynced = false
  #isStarted = false
  /** Newest revision seen; a watch continues from it. Empty before the first list, and after it expired. */
  #revision = ''
  #canStreamLists = true

  constructor(resource: ResourceRef<T>, options: InformerOptions) {
    this.#resource = resource
    this.#options = options
  }

  start(signal: AbortSignal): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.#run(signal)
  }

  synced(): Promise<void> {
    return this.#firstList.promise
  }

  hasSynced(): boolean {
    return this.#hasSynced
  }

  /** A handler that comes late hears of all objects that are there as added. */
  addHandler(handler: InformerHandler<T>): void {
    this.#handlers.push(handler)
    if (this.#hasSynced) for (const object of this.#objects.list()) handler.added?.(object)
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): T[] {
    return this.#objects.list(namespace)
  }

  addIndex(name: string, keysOf: (object: T) => readonly string[]): void {
    this.#objects.addIndex(name, keysOf)
  }

  byIndex(name: string, key: string): T[] {
    return this.#objects.byIndex(name, key)
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#options
    let backoffMs = BACKOFF_MS_MIN
    while (!signal.aborted) {
      const startedAt = clock.monotonic()
      try {
        await this.#listAndWatch(signal)
        continue // The server ended the watch in an orderly way: go on from the last revision.
      } catch (error) {
        if (signal.aborted) return
        if (isExpired(error)) this.#revision = ''
        log.warn('list and watch failed', { resource: this.#resource.resource, error: String(error) })
      }
      if (clock.monotonic() - startedAt > BACKOFF_RESET_MS) backoffMs = BACKOFF_MS_MIN
      await clock.sleep(backoffMs * (1 + random.next()), signal).catch(() => {}) // Aborted: the loop ends by itself.
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    if (this.#revision === '' && this.#canStreamLists) return this.#streamListAndWatch(signal)
    if (this.#revision === '') {
      const list = await this.#options.client.list(this.#resource, '', {}, signal)
      this.#replace(list.items)
      this.#revision = list.metadata.resourceVersion ?? ''
    }
    const options = { resourceVersion: this.#revision, allowWatchBookmarks: true, timeoutSeconds: this.#watchSeconds() }
    for await (const batch of this.#options.client.watch(this.#resource, '', options, signal)) this.#applyAll(batch)
  }

  /** The list arrives as the first events of the watch (WatchList); a server that does not know it refuses, and is listed instead. */
  async #streamListAndWatch(signal: AbortSignal): Promise<void> {
    const initial: T[] = []
    let isComplete = false
    const options = { sendInitialEvents: true, allowWatchBookmarks: true, timeoutSeconds: this.#watchSeconds() }
    try {
      for await (const batch of this.#options.client.watch(this.#resource, '', options, signal)) {
        if (isComplete) {
          this.#applyAll(batch)
          continue
        }
        for (const [position, event] of batch.entries()) {
          if (event.type === 'ERROR') throw StatusError.fromStatus(event.object as Status)
          const object = event.object as T
          if (event.type !== 'BOOKMARK') initial.push(object)
          if (object.metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') continue
          isComplete = true
          this.#replace(initial)
          this.#revision = object.metadata.resourceVersion
          this.#applyAll(batch.slice(position + 1))
          break
        }
      }
    } catch (error) {
      const isRefused = error instanceof StatusError && ['Invalid', 'BadRequest', 'Forbidden'].includes(error.reason)
      if (isComplete || !isRefused) throw error
      this.#canStreamLists = false
    }
    if (!isComplete && this.#canStreamLists) throw new Error('the watch ended before the initial list was complete')
  }

  #watchSeconds(): number {
    return Math.floor(WATCH_SECONDS_MIN * (1 + this.#options.random.next()))
  }

  /** Brings the view to the new list; handlers hear of each difference once. */
  #replace(items: readonly T[]): void {
    const gone = new Set([...this.#objects.entries()].map(([key]) => key))
    for (const object of items) {
      gone.delete(keyOf(object))
      this.#put(object)
    }
    for (const key of gone) this.#drop(key)
    if (this.#hasSynced) return
    this.#hasSynced = true
    this.#firstList.resolve()
  }

  #applyAll(batch: readonly WatchEvent<T>[]): void {
    for (const event of batch) this.#apply(event)
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw StatusError.fromStatus(event.object)
    const { object } = event
    if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#put(object)
    else if (event.type === 'DELETED') this.#drop(keyOf(object), object)
    this.#revision = object.metadata.resourceVersion
  }

  #put(object: T): void {
    const key = keyOf(object)
    const known = this.#objects.get(key)
    if (
      known?.metadata.resourceVersion === object.metadata.resourceVersion &&
      known.metadata.uid === object.metadata.uid
    )
      return
    const old = this.#objects.set(key, object)
    for (const handler of this.#handlers)
      if (old === undefined) handler.added?.(object)
      else handler.updated?.(object, old)
  }

  #drop(key: string, last?: T): void {
    const old = this.#objects.delete(key)
    const object = last ?? old
    if (old === undefined || object === undefined) return
    for (const handler of this.#handlers) handler.deleted?.(object)
  }
}
