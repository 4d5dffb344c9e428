/** An API server in memory for the kubelet's tests: objects, watches, patches of status; no validation, no admission. */
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client, PatchOptions, PatchType, WatchEvent, WatchOptions } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import type { Draft } from '#machinery/meta/template.ts'
import type { KubernetesList, KubernetesObject } from '#machinery/meta/object.ts'
import type { DeleteOptions, ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { alreadyExists, notFound } from '#machinery/status-error.ts'

type Listener = (event: WatchEvent<KubernetesObject>) => void

export class FakeApi implements Client {
  readonly #objects = new Map<string, Map<string, KubernetesObject>>()
  readonly #listeners = new Map<string, Set<Listener>>()
  #revision = 1

  get<T extends KubernetesObject>(resource: ResourceRef<T>, namespace: string, name: string): Promise<T> {
    const found = this.peek(resource, namespace, name)
    return found ? Promise.resolve(found) : Promise.reject(notFound(resource, name))
  }

  /** Without waiting; undefined when it does not exist. */
  peek<T extends KubernetesObject>(resource: ResourceRef<T>, namespace: string, name: string): T | undefined {
    return this.#of(resource).get(namespace === '' ? name : `${namespace}/${name}`) as T | undefined
  }

  list<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    options: { readonly fieldSelector?: string } = {},
  ): Promise<KubernetesList<T>> {
    const items = [...this.#of(resource).values()].filter((object) => matches(object, namespace, options.fieldSelector))
    return Promise.resolve({ metadata: { resourceVersion: String(this.#revision) }, items: items as T[] })
  }

  async *watch<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<readonly WatchEvent<T>[]> {
    const queue: WatchEvent<T>[] = []
    let wake: (() => void) | null = null
    const listener: Listener = (event) => {
      if (!matches(event.object as KubernetesObject, namespace, options.fieldSelector)) return
      queue.push(event as WatchEvent<T>)
      wake?.()
    }
    const onAbort = (): void => wake?.()
    const listeners = this.#listeners.get(resource.resource) ?? new Set()
    this.#listeners.set(resource.resource, listeners.add(listener))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        if (queue.length > 0) yield queue.splice(0)
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      listeners.delete(listener)
    }
  }

  create<T extends KubernetesObject>(resource: ResourceRef<T>, draft: Draft<T>): Promise<T> {
    const revision = String(++this.#revision)
    const metadata = {
      uid: `uid-${revision}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...draft.metadata,
      resourceVersion: revision,
    } as ObjectMeta
    const object = { ...draft, metadata } as T
    const key = keyOf(object)
    if (this.#of(resource).has(key)) return Promise.reject(alreadyExists(resource, metadata.name))
    this.#store(resource, 'ADDED', object)
    return Promise.resolve(object)
  }

  update<T extends KubernetesObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#revision) }
    const stored = { ...object, metadata }
    this.#store(resource, 'MODIFIED', stored)
    return Promise.resolve(stored)
  }

  updateStatus<T extends KubernetesObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    return this.update(resource, object)
  }

  async patch<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
    _type: PatchType,
    body: unknown,
    _options?: PatchOptions,
  ): Promise<T> {
    const object = await this.get(resource, namespace, name)
    return await this.update(resource, merge(object, body) as T)
  }

  /** A pod with a node is only marked, as a real server does, until its kubelet confirms with no grace. */
  async delete(resource: ResourceRef, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const object = await this.get(resource, namespace, name)
    const isPod = resource.resource === 'pods'
    if (isPod && options.gracePeriodSeconds !== 0) {
      const grace = options.gracePeriodSeconds ?? 30
      const metadata = {
        ...object.metadata,
        deletionTimestamp: '2026-01-01T00:00:00Z',
        deletionGracePeriodSeconds: grace,
      }
      await this.update(resource, { ...object, metadata })
      return
    }
    this.#of(resource).delete(keyOf(object))
    this.#emit(resource, {
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } },
    })
  }

  deleteCollection(): Promise<void> {
    return Promise.reject(new Error('not part of the fake'))
  }

  putSubresource<T extends KubernetesObject>(resource: ResourceRef<T>, object: T): Promise<T> {
    return this.update(resource, object)
  }

  createSubresource<R>(): Promise<R> {
    return Promise.resolve({ status: { token: 'a-token', expirationTimestamp: '2099-01-01T00:00:00Z' } } as R)
  }

  review<T extends { metadata?: ObjectMeta }>(): Promise<T> {
    return Promise.resolve({ status: { allowed: false, authenticated: false } } as unknown as T)
  }

  getPath<R>(path: string): Promise<R> {
    return Promise.reject(new Error(`not part of the fake: ${path}`))
  }

  #of(resource: ResourceRef): Map<string, KubernetesObject> {
    const objects = this.#objects.get(resource.resource) ?? new Map<string, KubernetesObject>()
    this.#objects.set(resource.resource, objects)
    return objects
  }

  #store(resource: ResourceRef, type: 'ADDED' | 'MODIFIED', object: KubernetesObject): void {
    this.#of(resource).set(keyOf(object), object)
    this.#emit(resource, { type, object })
  }

  #emit(resource: ResourceRef, event: WatchEvent<KubernetesObject>): void {
    for (const listener of this.#listeners.get(resource.resource) ?? []) listener(event)
  }
}

function matches(object: KubernetesObject, namespace: string, fieldSelector = ''): boolean {
  if (namespace !== '' && object.metadata.namespace !== namespace) return false
  if (fieldSelector === '') return true
  const [path = '', wanted] = fieldSelector.split('=')
  let value: unknown = object
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value === wanted
}

/** Merge patch, with conditions merged by type as the strategic one does. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(target as Record<string, unknown>) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (key === 'conditions') result[key] = mergeConditions(result[key], value)
    else result[key] = merge(result[key], value)
  }
  return result
}

function mergeConditions(old: unknown, patch: unknown): unknown[] {
  const byType = new Map((old as { type: string }[] | undefined)?.map((condition) => [condition.type, condition]))
  for (const condition of patch as { type: string; $patch?: string }[])
    if (condition.$patch === 'delete') byType.delete(condition.type)
    else byType.set(condition.type, merge(byType.get(condition.type) ?? {}, condition) as { type: string })
  return [...byType.values()]
}
