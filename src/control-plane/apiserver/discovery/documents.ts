/** The documents by which clients learn what is served: per group version, and all of it in one aggregated list. */
import { createHash } from 'node:crypto'
import type { GroupVersionKind, KindDefinition, Subresource } from '#api/kind.ts'
import type { ApiGroup, ApiVersion } from './api-groups.ts'

/** What `status` and the like of a stored object answer to. */
const STATUS_VERBS = ['get', 'patch', 'update']

/** Answer of `/api`. */
export function buildApiVersions(serverAddress: string): Record<string, unknown> {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

/** Answer of `/apis`; the core group is not among them. */
export function buildApiGroupList(groups: readonly ApiGroup[]): Record<string, unknown> {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter(({ name }) => name !== '').map(describeGroup),
  }
}

/** Answer of `/apis/<group>`. */
export function buildApiGroup(group: ApiGroup): Record<string, unknown> {
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(group) }
}

function describeGroup({ name, versions }: ApiGroup): Record<string, unknown> {
  const described = versions.map(({ groupVersion, version }) => ({ groupVersion, version }))
  return { name, versions: described, preferredVersion: described[0] }
}

/** Answer of `/api/v1` and `/apis/<group>/<version>`. */
export function buildApiResourceList({ group, groupVersion, kinds }: ApiVersion): Record<string, unknown> {
  return {
    kind: 'APIResourceList',
    // The core group has been without it from the first day.
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: kinds
      .flatMap((kind) => [describeResource(kind), ...subresourcesOf(kind).map((sub) => describeSubresource(kind, sub))])
      .toSorted((one, other) => (String(one['name']) < String(other['name']) ? -1 : 1)),
  }
}

function describeResource(kind: KindDefinition): Record<string, unknown> {
  return {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.stored ? { storageVersionHash: storageVersionHash(kind) } : {}),
  }
}

function describeSubresource(kind: KindDefinition, subresource: Subresource): Record<string, unknown> {
  const other = foreignKind(kind, subresource.kind)
  return {
    name: `${kind.resource}/${subresource.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(other === null ? {} : { group: other.group, version: other.version }),
    kind: subresource.kind.kind,
    verbs: subresource.verbs,
  }
}

/** Names are only written where a subresource speaks another group version than its owner. */
function foreignKind(owner: KindDefinition, kind: GroupVersionKind): GroupVersionKind | null {
  return kind.group === owner.group && kind.version === owner.version ? null : kind
}

function subresourcesOf(kind: KindDefinition): Subresource[] {
  const { group, version, kind: name } = kind
  const status = { name: 'status', kind: { group, version, kind: name }, verbs: STATUS_VERBS as Subresource['verbs'] }
  return [...kind.subresources, ...(kind.hasStatus ? [status] : [])].toSorted((one, other) =>
    one.name < other.name ? -1 : 1,
  )
}

/** By which storage migrators see that a kind is stored in another version than before. */
function storageVersionHash(kind: KindDefinition): string {
  const stored = kind.conversion?.storedAs ?? kind
  const version = stored.storageVersion ?? stored.version
  const digest = createHash('sha256').update(`${stored.group}/${version}/${stored.kind}`).digest()
  return digest.subarray(0, 8).toString('base64')
}

/** The aggregated form: every group with all its resources, so that a client needs two requests for all of discovery. */
export function buildAggregatedList(groups: readonly ApiGroup[]): Record<string, unknown> {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map(({ version, kinds }) => ({
        version,
        resources: kinds.map(aggregateResource),
        freshness: 'Current',
      })),
    })),
  }
}

function aggregateResource(kind: KindDefinition): Record<string, unknown> {
  const subresources = subresourcesOf(kind).map((subresource) => ({
    subresource: subresource.name,
    responseKind: responseKind(foreignKind(kind, subresource.kind), subresource.kind.kind),
    verbs: subresource.verbs,
  }))
  return {
    resource: kind.resource,
    responseKind: responseKind(null, kind.kind),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  }
}

/** Empty group and version mean those of the list. */
function responseKind(other: GroupVersionKind | null, kind: string): Record<string, unknown> {
  return { group: other?.group ?? '', version: other?.version ?? '', kind }
}
