/** What admission plugins read of the cluster: decoded objects out of the watch caches, shared and never changed. */
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Resources } from '../registry/resource.ts'

export class ClusterReader {
  readonly #resources: Resources
  constructor(resources: Resources) {
    this.#resources = resources
  }

  /** Null when there is none. Current: what was written before is seen. */
  async get<T extends KubernetesObject>(
    group: string,
    resource: string,
    namespace: string,
    name: string,
    version = 'v1',
  ): Promise<T | null> {
    const found = this.#resources.get(group, version, resource)
    if (found === undefined) return null
    const key = found.keyOf(namespace, name)
    // What is here already is good enough: nothing that admission asks for changes its meaning within a moment.
    const stored = found.cache.peek(key) ?? (await found.cache.get(key))
    return stored === null ? null : (stored.object() as T)
  }

  async list<T extends KubernetesObject>(
    group: string,
    resource: string,
    namespace = '',
    version = 'v1',
  ): Promise<T[]> {
    const found = this.#resources.get(group, version, resource)
    if (found === undefined) return []
    const { items } = await found.cache.list({ namespace, resourceVersion: '0' })
    return items.map((item) => item.object() as T)
  }
}
