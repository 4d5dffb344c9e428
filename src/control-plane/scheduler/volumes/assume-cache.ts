/** Objects as the API server reported them, or as the scheduler is about to make them: what is assumed ends with the next report. */
import { keyOf } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Lister } from '../lister.ts'

export class AssumeCache<T extends KubernetesObject> implements Lister<T> {
  readonly #reported: Lister<T>
  readonly #assumed = new Map<string, T>()

  constructor(reported: Lister<T>) {
    this.#reported = reported
  }

  get(key: string): T | undefined {
    const reported = this.#reported.get(key)
    return reported === undefined ? undefined : this.#newest(key, reported)
  }

  list(namespace?: string): readonly T[] {
    const all = this.#reported.list(namespace)
    return this.#assumed.size === 0 ? all : all.map((object) => this.#newest(keyOf(object), object))
  }

  /** Without what is assumed. */
  reported(key: string): T | undefined {
    return this.#reported.get(key)
  }

  /** `object` is a change of the version that was reported last. */
  assume(object: T): void {
    this.#assumed.set(keyOf(object), object)
  }

  forget(object: T): void {
    this.#assumed.delete(keyOf(object))
  }

  #newest(key: string, reported: T): T {
    const assumed = this.#assumed.get(key)
    if (assumed === undefined) return reported
    if (assumed.metadata.resourceVersion === reported.metadata.resourceVersion) return assumed
    this.#assumed.delete(key)
    return reported
  }
}
