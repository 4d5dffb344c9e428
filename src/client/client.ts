/** The client every component uses; the same calls work in this process and against any Kubernetes API server. */
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesList, KubernetesObject } from '#machinery/meta/object.ts'
import type { DeleteOptions, ObjectMeta, Status } from '#machinery/meta/v1.gen.ts'
import type { Draft } from '#machinery/meta/template.ts'

export type ListOptions = {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact'
}

export type WatchOptions = {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion?: string
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: Status }

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export type PatchOptions = {
  readonly fieldManager?: string
  readonly force?: boolean
  readonly subresource?: string
}

/**
 * All calls throw StatusError for an answer of the server and the transport's own error when none came. Objects that come back are
 * shared: never modify them, make a new one (`{ ...pod, spec: … }` or structuredClone).
 */
export interface Client {
  get<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<T>
  list<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    options?: ListOptions,
    signal?: AbortSignal,
  ): Promise<KubernetesList<T>>
  /** Events until the server ends the watch (the loop then simply ends) or `signal` aborts. */
  watch<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<readonly WatchEvent<T>[]>
  create<T extends KubernetesObject>(resource: ResourceRef<T>, object: Draft<T>, signal?: AbortSignal): Promise<T>
  /** PUT of the whole object; its resourceVersion guards against lost updates. */
  update<T extends KubernetesObject>(resource: ResourceRef<T>, object: T, signal?: AbortSignal): Promise<T>
  updateStatus<T extends KubernetesObject>(resource: ResourceRef<T>, object: T, signal?: AbortSignal): Promise<T>
  /** PUT of a subresource that takes the whole object, such as a namespace's `finalize`. */
  putSubresource<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    object: T,
    subresource: string,
    signal?: AbortSignal,
  ): Promise<T>
  patch<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
    type: PatchType,
    body: unknown,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<T>
  delete(
    resource: ResourceRef,
    namespace: string,
    name: string,
    options?: DeleteOptions,
    signal?: AbortSignal,
  ): Promise<void>
  deleteCollection(
    resource: ResourceRef,
    namespace: string,
    options?: DeleteOptions,
    list?: ListOptions,
    signal?: AbortSignal,
  ): Promise<void>
  /** POST to a subresource: bindings, evictions, tokens. */
  createSubresource<R>(
    resource: ResourceRef,
    namespace: string,
    name: string,
    subresource: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<R>
  /** POST of a kind that is answered but not stored: reviews. */
  review<T extends { metadata?: ObjectMeta }>(resource: ResourceRef, object: unknown, signal?: AbortSignal): Promise<T>
  /** Any other GET (`/version`, `/apis`), decoded from JSON. */
  getPath<R>(path: string, signal?: AbortSignal): Promise<R>
}
