/** Follows the objects that a selector picks: list, then watch, again after each loss. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client, ListOptions } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isExpired } from '#machinery/status-error.ts'

export type ResourceWatchOptions<T extends KubernetesObject> = {
  readonly client: Client
  readonly resource: ResourceRef<T>
  readonly namespace: string
  readonly fieldSelector?: string
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** `object` is null once it is gone. Called for each change and, after a lost watch, for each difference. */
  onChange(key: string, object: T | null): void
  /** After each complete list. */
  onSynced?(): void
}

/** As short as a reflector's: an API server that is about to answer is not waited for a second. */
const RETRY_MS = 100
const RETRY_MAX_MS = 30_000

export class ResourceWatch<T extends KubernetesObject> {
  readonly #options: ResourceWatchOptions<T>
  readonly #objects = new Map<string, T>()
  readonly #stop = new AbortController()
  #synced = false

  constructor(options: ResourceWatchOptions<T>) {
    this.#options = options
  }

  get synced(): boolean {
    return this.#synced
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    const { clock, random, log, resource } = this.#options
    const { signal } = this.#stop
    let delayMs = RETRY_MS
    while (!signal.aborted) {
      try {
        const revision = await this.#list(signal)
        delayMs = RETRY_MS
        await this.#watch(revision, signal)
      } catch (error) {
        if (signal.aborted) return
        if (isExpired(error)) continue // Too far back in history: list again at once.
        log.warn('lost the watch, will list again', { resource: resource.resource, error: String(error) })
        await clock.sleep(delayMs * (0.5 + random.next()), signal).catch(() => {}) // Aborted: the loop ends.
        delayMs = Math.min(2 * delayMs, RETRY_MAX_MS)
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, resource, namespace, fieldSelector, onSynced } = this.#options
    const options: ListOptions = { resourceVersion: '0', ...(fieldSelector !== undefined && { fieldSelector }) }
    const answer = await client.list(resource, namespace, options, signal)
    const seen = new Set<string>()
    for (const object of answer.items) {
      seen.add(keyOf(object))
      this.#set(object)
    }
    for (const key of this.#objects.keys()) if (!seen.has(key)) this.#remove(key)
    this.#synced = true
    onSynced?.()
    return answer.metadata.resourceVersion ?? ''
  }

  /** Ends without an error when the server ends the watch: it is then resumed from the last revision. */
  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, fieldSelector } = this.#options
    let resourceVersion = from
    while (!signal.aborted) {
      const options = {
        resourceVersion,
        allowWatchBookmarks: true,
        ...(fieldSelector !== undefined && { fieldSelector }),
      }
      for await (const batch of client.watch(resource, namespace, options, signal)) {
        for (const event of batch) {
          if (event.type === 'ERROR') {
            if (event.object.code === 410) return
            throw new Error(event.object.message ?? 'watch failed')
          }
          resourceVersion = event.object.metadata.resourceVersion
          if (event.type === 'DELETED') this.#remove(keyOf(event.object))
          else if (event.type !== 'BOOKMARK') this.#set(event.object)
        }
      }
      await this.#options.clock.sleep(RETRY_MS * this.#options.random.next(), signal)
    }
  }

  #set(object: T): void {
    const key = keyOf(object)
    const old = this.#objects.get(key)
    if (old && old.metadata.uid !== object.metadata.uid) this.#remove(key)
    this.#objects.set(key, object)
    if (old?.metadata.resourceVersion !== object.metadata.resourceVersion) this.#options.onChange(key, object)
  }

  #remove(key: string): void {
    if (this.#objects.delete(key)) this.#options.onChange(key, null)
  }
}
