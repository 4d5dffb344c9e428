/** Informers over any client: one list-and-watch per resource, a shared view of it, and handlers that hear of every change. */
import type { Logger } from '#base/log.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { keyOf, type Informer, type InformerFactory, type InformerHandler } from './informer.ts'
import { ObjectIndex } from './object-index.ts'
import { Reflector, type ReflectorOptions, type ReflectorSink } from './reflector.ts'

export type InformerOptions = ReflectorOptions

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

class ResourceInformer<T extends KubernetesObject> implements Informer<T>, ReflectorSink<T> {
  readonly #log: Logger
  readonly #reflector: Reflector<T>
  readonly #objects = new ObjectIndex<T>()
  readonly #handlers: InformerHandler<T>[] = []
  readonly #firstList = Promise.withResolvers<void>()
  #hasSynced = false
  #isStarted = false

  constructor(resource: ResourceRef<T>, options: InformerOptions) {
    this.#log = options.log.child({ resource: resource.resource })
    this.#reflector = new Reflector(resource, this, options)
  }

  start(signal: AbortSignal): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.#reflector.run(signal)
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

  /** Brings the view to the new list; handlers hear of each difference once. */
  replace(items: readonly T[]): void {
    const gone = new Set([...this.#objects.entries()].map(([key]) => key))
    for (const object of items) {
      gone.delete(keyOf(object))
      this.put(object)
    }
    for (const key of gone) this.#remove(key)
    if (this.#hasSynced) return
    this.#hasSynced = true
    this.#firstList.resolve()
  }

  put(object: T): void {
    const key = keyOf(object)
    const known = this.#objects.get(key)
    const isSame = known?.metadata.uid === object.metadata.uid
    if (isSame && known?.metadata.resourceVersion === object.metadata.resourceVersion) return
    // Deleted and created again while the watch was lost: two objects, of which handlers hear in turn.
    if (known !== undefined && !isSame) this.#remove(key)
    const old = this.#objects.set(key, object)
    if (old === undefined) this.#tell((handler) => handler.added?.(object))
    else this.#tell((handler) => handler.updated?.(object, old))
  }

  drop(object: T): void {
    this.#remove(keyOf(object), object)
  }

  #remove(key: string, last?: T): void {
    const old = this.#objects.delete(key)
    if (old !== undefined) this.#tell((handler) => handler.deleted?.(last ?? old))
  }

  /** One handler's mistake is not to keep the others from hearing. */
  #tell(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.#handlers)
      try {
        call(handler)
      } catch (error) {
        this.#log.error('a handler failed', { error: error instanceof Error ? error.stack : String(error) })
      }
  }
}
