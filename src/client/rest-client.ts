/** The client's calls as requests of the Kubernetes REST API, over any transport. */
import { formatApiVersion } from '#api/kind.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { KubernetesList, KubernetesObject } from '#machinery/meta/object.ts'
import type { DeleteOptions, ObjectMeta } from '#machinery/meta/v1.gen.ts'
import type { Draft } from '#machinery/meta/template.ts'
import type { Client, ListOptions, PatchOptions, PatchType, WatchEvent, WatchOptions } from './client.ts'
import type { Transport, TransportRequest } from './transport.ts'

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

export class RestClient implements Client {
  readonly #transport: Transport
  constructor(transport: Transport) {
    this.#transport = transport
  }

  get<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#send<T>({ method: 'GET', path: pathOf(resource, namespace, name), query: {}, ...withSignal(signal) })
  }

  list<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<KubernetesList<T>> {
    const query = queryOf(options)
    return this.#send({ method: 'GET', path: pathOf(resource, namespace), query, ...withSignal(signal) })
  }

  watch<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<readonly WatchEvent<T>[]> {
    const initial = options.sendInitialEvents === true ? { resourceVersionMatch: 'NotOlderThan' } : {}
    const query = { watch: 'true', ...queryOf(options), ...initial }
    const request: TransportRequest = { method: 'GET', path: pathOf(resource, namespace), query, signal }
    return this.#transport.watch(request) as AsyncIterable<readonly WatchEvent<T>[]>
  }

  create<T extends KubernetesObject>(resource: ResourceRef<T>, object: Draft<T>, signal?: AbortSignal): Promise<T> {
    const path = pathOf(resource, object.metadata.namespace ?? '')
    return this.#send<T>({ method: 'POST', path, query: {}, body: withKind(resource, object), ...withSignal(signal) })
  }

  update<T extends KubernetesObject>(resource: ResourceRef<T>, object: T, signal?: AbortSignal): Promise<T> {
    return this.#put(resource, object, '', signal)
  }

  updateStatus<T extends KubernetesObject>(resource: ResourceRef<T>, object: T, signal?: AbortSignal): Promise<T> {
    return this.#put(resource, object, 'status', signal)
  }

  putSubresource<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    object: T,
    subresource: string,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#put(resource, object, subresource, signal)
  }

  patch<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
    type: PatchType,
    body: unknown,
    options: PatchOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const { subresource, ...rest } = options
    return this.#send<T>({
      method: 'PATCH',
      path: pathOf(resource, namespace, name, subresource),
      query: queryOf(rest),
      body,
      contentType: PATCH_CONTENT_TYPES[type],
      ...withSignal(signal),
    })
  }

  async delete(
    resource: ResourceRef,
    namespace: string,
    name: string,
    options?: DeleteOptions,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = pathOf(resource, namespace, name)
    await this.#send({ method: 'DELETE', path, query: {}, ...deleteBody(options), ...withSignal(signal) })
  }

  async deleteCollection(
    resource: ResourceRef,
    namespace: string,
    options?: DeleteOptions,
    list: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<void> {
    const path = pathOf(resource, namespace)
    await this.#send({ method: 'DELETE', path, query: queryOf(list), ...deleteBody(options), ...withSignal(signal) })
  }

  createSubresource<R>(
    resource: ResourceRef,
    namespace: string,
    name: string,
    subresource: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<R> {
    const path = pathOf(resource, namespace, name, subresource)
    return this.#send<R>({ method: 'POST', path, query: {}, body, ...withSignal(signal) })
  }

  review<T extends { metadata?: ObjectMeta }>(
    resource: ResourceRef,
    object: unknown,
    signal?: AbortSignal,
  ): Promise<T> {
    const namespace = (object as { metadata?: { namespace?: string } }).metadata?.namespace ?? ''
    const body = withKind(resource, object as object)
    return this.#send<T>({ method: 'POST', path: pathOf(resource, namespace), query: {}, body, ...withSignal(signal) })
  }

  getPath<R>(path: string, signal?: AbortSignal): Promise<R> {
    return this.#send<R>({ method: 'GET', path, query: {}, ...withSignal(signal) })
  }

  #put<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    object: T,
    subresource: string,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const path = pathOf(resource, object.metadata.namespace ?? '', object.metadata.name, subresource)
    return this.#send<T>({ method: 'PUT', path, query: {}, body: withKind(resource, object), ...withSignal(signal) })
  }

  async #send<R>(request: TransportRequest): Promise<R> {
    return (await this.#transport.request(request)) as R
  }
}

/** `/api/v1/namespaces/NS/pods/NAME/SUBRESOURCE`; an empty namespace means all of them, or a cluster-scoped kind. */
export function pathOf(resource: ResourceRef, namespace: string, name = '', subresource = ''): string {
  const prefix = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const scope = resource.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === '' ? '' : `/${encodeURIComponent(name)}${subresource === '' ? '' : `/${subresource}`}`
  return `${prefix}${scope}/${resource.resource}${object}`
}

function queryOf(options: object): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [key, value] of Object.entries(options))
    if (value !== undefined && value !== '') query[key] = String(value)
  return query
}

const withSignal = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal }

const withKind = (resource: ResourceRef, object: object): object => ({
  kind: resource.kind,
  apiVersion: formatApiVersion(resource),
  ...object,
})

const deleteBody = (options: DeleteOptions | undefined): { body?: unknown } =>
  options === undefined ? {} : { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } }
