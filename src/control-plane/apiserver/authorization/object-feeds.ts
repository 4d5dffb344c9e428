/** Tells the authorizers of every role, binding, pod and volume there is, and of each change, without keeping the objects. */
import type { KindDefinition } from '#api/kind.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client, WatchEvent } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { StatusError } from '#machinery/status-error.ts'

export type Named = { readonly metadata: { readonly name: string; readonly namespace?: string } }

export type Follower<T> = {
  /** Called with each object that is there, and again when it changed. */
  set(object: T): void
  /** Called with the name of an object that is gone. */
  drop(object: Named): void
}

export type ObjectFeedsOptions = { readonly client: Client; readonly clock: Clock; readonly log: Logger }

const RETRY_MS = 500
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

export class ObjectFeeds {
  readonly #options: ObjectFeedsOptions
  readonly #feeds: ObjectFeed<KubernetesObject>[] = []

  constructor(options: ObjectFeedsOptions) {
    this.#options = options
  }

  /** Before `start`. */
  follow<T extends KubernetesObject>(resource: ResourceRef<T>, follower: Follower<T>): void {
    this.#feeds.push(new ObjectFeed(resource, follower as Follower<KubernetesObject>, this.#options))
  }

  /** What a server does not serve is not asked for: nothing of it will ever be known. */
  start(signal: AbortSignal, unserved: readonly string[] = []): void {
    for (const feed of this.#feeds) if (!unserved.includes(feed.name)) void feed.run(signal)
  }

  /** Names of the resources that are followed and that are none of these kinds. */
  unserved(kinds: readonly Pick<KindDefinition, 'group' | 'version' | 'resource'>[]): string[] {
    const served = new Set(kinds.map(nameOf))
    return [...new Set(this.#feeds.map(({ name }) => name))].filter((name) => !served.has(name))
  }

  /** Resolves when the followers know everything that was there at the start. */
  async synced(): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed.synced))
  }
}

/** `roles.rbac.authorization.k8s.io/v1`. */
const nameOf = ({ group, version, resource }: Pick<KindDefinition, 'group' | 'version' | 'resource'>): string =>
  `${resource}${group === '' ? '' : `.${group}`}/${version}`

class ObjectFeed<T extends KubernetesObject> {
  readonly #resource: ResourceRef<T>
  readonly #follower: Follower<T>
  readonly #options: ObjectFeedsOptions
  readonly #known = new Map<string, Named>()
  readonly #firstList = Promise.withResolvers<void>()
  #revision = ''

  constructor(resource: ResourceRef<T>, follower: Follower<T>, options: ObjectFeedsOptions) {
    this.#resource = resource
    this.#follower = follower
    this.#options = options
  }

  get name(): string {
    return nameOf(this.#resource)
  }

  get synced(): Promise<void> {
    return this.#firstList.promise
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      try {
        await (this.#revision === '' ? this.#listAndWatch(signal) : this.#watch(signal))
        continue // The watch ended in an orderly way: go on from the last revision.
      } catch (error) {
        if (signal.aborted) return
        this.#revision = ''
        log.warn('watch of an authorizer failed', { resource: this.#resource.resource, error: String(error) })
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
    }
  }

  /** The objects come one by one as first events, so that never all of them are in memory. */
  async #listAndWatch(signal: AbortSignal): Promise<void> {
    const gone = new Map(this.#known)
    let isComplete = false
    const options = { sendInitialEvents: true, allowWatchBookmarks: true }
    for await (const batch of this.#options.client.watch(this.#resource, '', options, signal))
      for (const event of batch) {
        this.#apply(event)
        if (!isComplete) {
          gone.delete(keyOf(event.object as T))
          isComplete = (event.object as T).metadata.annotations?.[INITIAL_EVENTS_END] === 'true'
          if (isComplete) this.#completeList(gone.keys())
        }
        // First events come in the order of their names: only what follows them tells how far this feed is.
        if (isComplete) this.#revision = (event.object as T).metadata.resourceVersion
      }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const options = { resourceVersion: this.#revision, allowWatchBookmarks: true }
    for await (const batch of this.#options.client.watch(this.#resource, '', options, signal))
      for (const event of batch) {
        this.#apply(event)
        this.#revision = (event.object as T).metadata.resourceVersion
      }
  }

  #completeList(gone: Iterable<string>): void {
    for (const key of gone) this.#drop(key)
    this.#firstList.resolve()
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw StatusError.fromStatus(event.object)
    const { object } = event
    if (event.type === 'DELETED') this.#drop(keyOf(object))
    else if (event.type !== 'BOOKMARK') {
      const { name, namespace } = object.metadata
      this.#known.set(keyOf(object), { metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })
      this.#follower.set(object)
    }
  }

  #drop(key: string): void {
    const object = this.#known.get(key)
    if (object === undefined) return
    this.#known.delete(key)
    this.#follower.drop(object)
  }
}
