/** An API server of a few maps for the scheduler's tests and bench: informers that hear at once, and the writes a scheduler does. */
import type { Pod, PodCondition } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer, type InformerFactory, type InformerHandler } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

class MemoryInformer<T extends KubernetesObject> implements Informer<T> {
  readonly #objects = new Map<string, T>()
  readonly #handlers: InformerHandler<T>[] = []
  #version = 0

  start(): void {}
  async synced(): Promise<void> {}
  hasSynced(): boolean {
    return true
  }
  addIndex(): void {}
  byIndex(): T[] {
    return []
  }
  addHandler(handler: InformerHandler<T>): void {
    this.#handlers.push(handler)
    for (const object of this.#objects.values()) handler.added?.(object)
  }
  get(key: string): T | undefined {
    return this.#objects.get(key)
  }
  list(namespace?: string): T[] {
    const all = [...this.#objects.values()]
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace)
  }
  set(object: T): void {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    const key = keyOf(stored)
    const old = this.#objects.get(key)
    this.#objects.set(key, stored)
    for (const handler of this.#handlers)
      if (old === undefined) handler.added?.(stored)
      else handler.updated?.(stored, old)
  }
  delete(key: string): void {
    const old = this.#objects.get(key)
    if (!this.#objects.delete(key)) return
    for (const handler of this.#handlers) handler.deleted?.(old!)
  }
}

export class MemoryCluster implements InformerFactory {
  readonly #informers = new Map<string, MemoryInformer<KubernetesObject>>()
  /** Writes in order: `bind a to n1`, `delete b`, `patch a {…}`. */
  readonly writes: string[] = []
  readonly client: Client = new Proxy({} as Client, {
    get: (_target, name) => (this.calls as Record<string, unknown>)[String(name)] ?? refuse(String(name)),
  })
  readonly calls = {
    createSubresource: async (_resource: ResourceRef, namespace: string, name: string, _sub: string, body: unknown) => {
      const node = (body as { target: { name: string } }).target.name
      this.writes.push(`bind ${name} to ${node}`)
      const pod = this.pod(`${namespace}/${name}`)!
      const { nominatedNodeName: _gone, ...status } = pod.status ?? {}
      this.set(PODS, { ...pod, spec: { ...pod.spec, nodeName: node }, status })
    },
    patch: async (resource: ResourceRef, namespace: string, name: string, _type: string, body: unknown) => {
      const informer = this.informer(resource)
      const key = namespace === '' ? name : `${namespace}/${name}`
      const object = informer.get(key) as Pod | undefined
      if (object === undefined) return
      this.writes.push(`patch ${name}`)
      this.set(resource as ResourceRef<Pod>, { ...object, status: mergeStatus(object, (body as Pod).status ?? {}) })
    },
    delete: async (_resource: ResourceRef, namespace: string, name: string) => {
      this.writes.push(`delete ${name}`)
      this.remove(PODS, `${namespace}/${name}`)
    },
    update: async <T extends KubernetesObject>(resource: ResourceRef<T>, object: T): Promise<T> => {
      this.writes.push(`update ${object.metadata.name}`)
      this.set(resource, object)
      return this.informer(resource).get(keyOf(object))!
    },
  }

  informer<T extends KubernetesObject>(resource: ResourceRef<T>): MemoryInformer<T> {
    let informer = this.#informers.get(resource.resource)
    if (informer === undefined) this.#informers.set(resource.resource, (informer = new MemoryInformer()))
    return informer as unknown as MemoryInformer<T>
  }
  start(): void {}
  async synced(): Promise<void> {}

  set<T extends KubernetesObject>(resource: ResourceRef<T>, ...objects: readonly T[]): void {
    for (const object of objects) this.informer(resource).set(object)
  }
  remove(resource: ResourceRef, key: string): void {
    this.informer(resource).delete(key)
  }
  pod(key: string): Pod | undefined {
    return this.informer(PODS).get(key)
  }
  nodeCount(): number {
    return this.informer(NODES).list().length
  }
}

function mergeStatus(pod: Pod, patch: NonNullable<Pod['status']>): NonNullable<Pod['status']> {
  const conditions = new Map<string, PodCondition>(pod.status?.conditions?.map((old) => [old.type, old]))
  for (const condition of patch.conditions ?? []) conditions.set(condition.type, condition)
  const { nominatedNodeName, ...rest } = { ...pod.status, ...patch, conditions: [...conditions.values()] }
  return nominatedNodeName ? { ...rest, nominatedNodeName } : rest
}

function refuse(call: string): () => never {
  return () => {
    throw new Error(`the memory cluster has no ${call}`)
  }
}
