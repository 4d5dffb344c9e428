/** ConfigMaps and Secrets that this node's pods refer to: each is watched by name while a pod needs it, as the node authorizer allows. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { ResourceWatch } from './resource-watch.ts'

export type ObjectCacheOptions<T extends KubernetesObject> = {
  readonly client: Client
  readonly resource: ResourceRef<T>
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** The pods (by uid) that refer to an object which changed. */
  onChange(podUids: readonly string[]): void
}

type Entry<T extends KubernetesObject> = { readonly watch: ResourceWatch<T>; readonly users: Set<string> }

export class ObjectCache<T extends KubernetesObject> {
  readonly #options: ObjectCacheOptions<T>
  readonly #entries = new Map<string, Entry<T>>()
  readonly #keysOfPod = new Map<string, ReadonlySet<string>>()

  constructor(options: ObjectCacheOptions<T>) {
    this.#options = options
  }

  /** Says which objects a pod refers to; watches begin and end with the first and last pod that needs them. */
  use(podUid: string, namespace: string, names: ReadonlySet<string>): void {
    const keys = new Set([...names].map((name) => `${namespace}/${name}`))
    const before = this.#keysOfPod.get(podUid) ?? new Set()
    for (const key of keys) if (!before.has(key)) this.#addUser(key, podUid)
    for (const key of before) if (!keys.has(key)) this.#removeUser(key, podUid)
    if (keys.size > 0) this.#keysOfPod.set(podUid, keys)
    else this.#keysOfPod.delete(podUid)
  }

  /** From the watch once it is in step, else asked directly; null when it does not exist. */
  async get(namespace: string, name: string, signal?: AbortSignal): Promise<T | null> {
    const key = `${namespace}/${name}`
    const entry = this.#entries.get(key)
    const known = entry?.watch.synced ? entry.watch.get(key) : undefined
    if (known) return known
    // The watch may lag behind a pod that was created right after its objects: absence is asked for, not assumed.
    try {
      return await this.#options.client.get(this.#options.resource, namespace, name, signal)
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }

  stop(): void {
    for (const { watch } of this.#entries.values()) watch.stop()
    this.#entries.clear()
  }

  #addUser(key: string, podUid: string): void {
    const existing = this.#entries.get(key)
    if (existing) {
      existing.users.add(podUid)
      return
    }
    const [namespace, name] = key.split('/') as [string, string]
    const users = new Set([podUid])
    const { client, resource, clock, random, log, onChange } = this.#options
    const watch = new ResourceWatch<T>({
      client,
      resource,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      clock,
      random,
      log,
      onChange: () => onChange([...users]),
    })
    this.#entries.set(key, { watch, users })
    watch.start()
  }

  #removeUser(key: string, podUid: string): void {
    const entry = this.#entries.get(key)
    if (!entry?.users.delete(podUid) || entry.users.size > 0) return
    entry.watch.stop()
    this.#entries.delete(key)
  }
}
