/** A local, always current view of one resource: what listers read and what wakes controllers. */
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

export type InformerHandler<T> = {
  added?(object: T): void
  /** Also called on a resync after a lost watch, when only the resourceVersion tells whether it changed. */
  updated?(object: T, old: T): void
  /** `object` is the last state seen; it may be older than the one deleted. */
  deleted?(object: T): void
}

/** Objects handed out are shared and never modified. */
export interface Informer<T extends KubernetesObject> {
  /** Starts list and watch; ends with `signal`. Idempotent. */
  start(signal: AbortSignal): void
  /** Resolves when the first list is in the cache and was handed to the handlers. */
  synced(): Promise<void>
  hasSynced(): boolean
  addHandler(handler: InformerHandler<T>): void
  /** By `namespace/name`, or `name` for a cluster-scoped kind. */
  get(key: string): T | undefined
  list(namespace?: string): T[]
  /** Defines an index once, before start; `byIndex` then answers without a scan. */
  addIndex(name: string, keysOf: (object: T) => readonly string[]): void
  byIndex(name: string, key: string): T[]
}

/** `namespace/name`, or `name` alone. */
export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  return object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name
}

/** One informer per resource and process, shared by all that ask. */
export interface InformerFactory {
  informer<T extends KubernetesObject>(resource: ResourceRef<T>): Informer<T>
  /** Starts all that were asked for, and those asked for later. */
  start(signal: AbortSignal): void
  /** Resolves when all are synced. */
  synced(): Promise<void>
}
