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
    if (reported !== undefined) return this.#newest(key, reported)
    // Only what the informer has shown is ever written: this is deleted.
    this.#written.delete(key)
    return undefined
  }

  /** By an index of the informer: what has been written since may belong elsewhere. */
  byIndex(name: string, key: string): T[] {
    return this.#informer.byIndex(name, key).map((object) => this.#newest(keyOf(object), object))
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
