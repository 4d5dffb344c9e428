/** An informer's objects, or what this controller has written of them since: an old view would undo its own bindings. */
import { keyOf, type Informer } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

export class NewestObjects<T extends KubernetesObject> {
  readonly #informer: Informer<T>
  readonly #written = new Map<string, T>()

  constructor(informer: Informer<T>) {
    this.#informer = informer
  }

  get(key: string): T | undefined {
    const reported = this.#informer.get(key)
    return reported === undefined ? undefined : this.#newest(key, reported)
  }

  list(): T[] {
    const all = this.#informer.list()
    return this.#written.size === 0 ? all : all.map((object) => this.#newest(keyOf(object), object))
  }

  wrote(object: T): T {
    this.#written.set(keyOf(object), object)
    return object
  }

  forget(key: string): void {
    this.#written.delete(key)
  }

  #newest(key: string, reported: T): T {
    const written = this.#written.get(key)
    if (written === undefined) return reported
    const isNewer = written.metadata.uid === reported.metadata.uid && versionOf(written) > versionOf(reported)
    if (isNewer) return written
    this.#written.delete(key)
    return reported
  }
}

/** As upstream: versions of one object grow. */
const versionOf = ({ metadata }: KubernetesObject): number => Number(metadata.resourceVersion)
