/** What the scheduler's plugins read other objects through: an informer's view, or a few objects in a test. */
import { keyOf } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

export interface Lister<T> {
  /** By `namespace/name`, or `name` for a cluster-scoped kind. */
  get(key: string): T | undefined
  list(namespace?: string): readonly T[]
}

export function listerOf<T extends KubernetesObject>(objects: readonly T[]): Lister<T> {
  return {
    get: (key) => objects.find((object) => keyOf(object) === key),
    list: (namespace) =>
      namespace === undefined ? objects : objects.filter((object) => object.metadata.namespace === namespace),
  }
}
