/** One served resource: its kind, its schema, and the cache of the objects that are stored for it. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { VersionConverter } from '#machinery/field-ownership/ownership-rules.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { ObjectSchema } from '#machinery/schema/schema.ts'
import type { GroupResource } from '#machinery/status-error.ts'
import type { Store } from '#control-plane/store/store.ts'
import { versionConverter } from './version-converter.ts'
import type { ResourceFacts } from '../metrics/server-info.ts'
import { ResourceCache } from '../watch-cache/resource-cache.ts'

export class Resource {
  readonly kind: KindDefinition
  /** The kind whose form is stored: this one, unless it is another version of it. */
  readonly storedKind: KindDefinition
  readonly cache: ResourceCache
  /** Between the versions of the kind. */
  readonly convert: VersionConverter
  constructor(kind: KindDefinition, storedKind: KindDefinition, cache: ResourceCache) {
    this.kind = kind
    this.storedKind = storedKind
    this.cache = cache
    this.convert = versionConverter(kind)
  }

  get schema(): ObjectSchema {
    return schemaOf(this.kind.schema)
  }

  get storedSchema(): ObjectSchema {
    return schemaOf(this.storedKind.schema)
  }

  get apiVersion(): string {
    return formatApiVersion(this.kind)
  }

  get groupResource(): GroupResource {
    return { group: this.kind.group, resource: this.kind.resource }
  }

  keyOf(namespace: string, name: string): string {
    return this.cache.keyOf(namespace, name)
  }

  /** From this version's form to the stored one. */
  toStored(object: KubernetesObject): KubernetesObject {
    return this.kind.conversion?.toStored(object) ?? object
  }

  /** A new object in this version's form, of the stored object's JSON. */
  fromStored(stored: KubernetesObject): KubernetesObject {
    return (this.kind.conversion?.fromStored(stored) ?? stored) as KubernetesObject
  }
}

export type ResourcesOptions = {
  readonly kinds: readonly KindDefinition[]
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly freeze: boolean
}

/** All stored resources by `group/version/resource`; versions of one kind share a cache. */
export class Resources {
  readonly #byName = new Map<string, Resource>()
  readonly #kinds = new Map<string, KindDefinition>()
  readonly #caches = new Map<string, ResourceCache>()

  constructor(options: ResourcesOptions) {
    for (const kind of options.kinds) this.#kinds.set(nameOf(kind.group, kind.version, kind.resource), kind)
    for (const kind of options.kinds) if (kind.stored) this.#add(kind, options)
  }

  get(group: string, version: string, resource: string): Resource | undefined {
    return this.#byName.get(nameOf(group, version, resource))
  }

  /** Also for kinds that are not stored. */
  kind(group: string, version: string, resource: string): KindDefinition | undefined {
    return this.#kinds.get(nameOf(group, version, resource))
  }

  all(): Iterable<Resource> {
    return this.#byName.values()
  }

  /** Of those that are in use; versions of one kind share their objects. */
  facts(): ResourceFacts[] {
    const known = new Set<ResourceCache>()
    return [...this.#byName.values()].flatMap(({ storedKind, cache }) => {
      if (known.has(cache) || !cache.isStarted) return []
      known.add(cache)
      const { group, resource } = storedKind
      const { size: objects, bytes, revision, eventsReceived: events, listCounts: lists } = cache
      return [{ group, resource, objects, bytes, revision, events, lists }]
    })
  }

  close(): void {
    for (const cache of this.#caches.values()) cache.close()
  }

  #add(kind: KindDefinition, options: ResourcesOptions): void {
    const storedKind = kind.conversion?.storedAs ?? kind
    const prefix = `/registry/${storedKind.storagePrefix}/`
    let cache = this.#caches.get(prefix)
    if (cache === undefined) this.#caches.set(prefix, (cache = createCache(storedKind, prefix, options)))
    this.#byName.set(nameOf(kind.group, kind.version, kind.resource), new Resource(kind, storedKind, cache))
  }
}

const nameOf = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`

function createCache(
  kind: KindDefinition,
  prefix: string,
  { store, clock, log, freeze }: ResourcesOptions,
): ResourceCache {
  const { indexedField } = kind
  const empty = { kind: kind.kind, apiVersion: formatApiVersion(kind), metadata: {} }
  return new ResourceCache({
    store,
    clock,
    log,
    prefix,
    namespaced: kind.namespaced,
    emptyObject: normalize(schemaOf(kind.schema), empty),
    selectableFields: kind.selectableFields,
    ...(indexedField === undefined ? {} : { indexedField }),
    freeze,
  })
}
