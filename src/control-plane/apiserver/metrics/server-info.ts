/** What the server is and what it holds, for /metrics: its version, its features, its objects and its store. */
import type { Registry } from 'prom-client'
import type { FeatureGates } from '#base/feature-gates.ts'
import type { Store } from '#control-plane/store/store.ts'
import { VERSION } from '../version.ts'
import type { ListCounts } from '../watch-cache/list-reader.ts'
import { addReadFamily } from './families.ts'

/** One kind of stored objects. */
export type ResourceFacts = {
  readonly group: string
  readonly resource: string
  readonly objects: number
  readonly bytes: number
  readonly revision: number
  readonly events: number
  readonly lists: { readonly cache: ListCounts; readonly store: ListCounts }
}

export type ServerFacts = {
  readonly features: FeatureGates
  readonly store: Store
  readonly resources: () => readonly ResourceFacts[]
  readonly pools: () => {
    readonly addresses: readonly { readonly cidr: string; readonly taken: number; readonly size: number }[]
    readonly ports: { readonly taken: number; readonly size: number }
  }
}

/** The kind of the store, where upstream names one of several clusters of etcd. */
const STORAGE_CLUSTER = 'etcd-0'

export function registerServerInfo(registry: Registry, facts: ServerFacts): void {
  registerVersion(registry, facts.features)
  registerResources(registry, facts.resources)
  registerLists(registry, facts.resources)
  registerPools(registry, facts.pools)
  addReadFamily(
    registry,
    { name: 'apiserver_storage_size_bytes', help: 'Size of the storage database file physically allocated in bytes.' },
    async () => [{ labels: { storage_cluster_id: STORAGE_CLUSTER }, value: await facts.store.sizeBytes() }],
  )
}

function registerVersion(registry: Registry, features: FeatureGates): void {
  const build = {
    build_date: VERSION.buildDate,
    compiler: VERSION.compiler,
    git_commit: VERSION.gitCommit,
    git_tree_state: VERSION.gitTreeState,
    git_version: VERSION.gitVersion,
    go_version: VERSION.goVersion,
    major: VERSION.major,
    minor: VERSION.minor,
    platform: VERSION.platform,
  }
  const help =
    "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running."
  addReadFamily(registry, { name: 'kubernetes_build_info', help }, () => [{ labels: build, value: 1 }])
  const version = {
    binary: `${VERSION.major}.${VERSION.minor}`,
    component: 'kube',
    emulation: `${VERSION.emulationMajor}.${VERSION.emulationMinor}`,
    min_compat: `${VERSION.minCompatibilityMajor}.${VERSION.minCompatibilityMinor}`,
  }
  addReadFamily(
    registry,
    {
      name: 'version_info',
      help: 'Provides the compatibility version info of the component. The component label is the name of the component, usually kube, but is relevant for aggregated-apiservers.',
    },
    () => [{ labels: version, value: 1 }],
  )
  const gates = features.all().map(({ name, stage, enabled }) => ({
    labels: { name, stage: stage === 'GA' ? '' : stage },
    value: enabled ? 1 : 0,
  }))
  addReadFamily(
    registry,
    {
      name: 'kubernetes_feature_enabled',
      help: 'This metric records the data about the stage and enablement of a k8s feature.',
    },
    () => gates,
  )
}

function registerResources(registry: Registry, read: ServerFacts['resources']): void {
  const family = (name: string, help: string, field: 'objects' | 'bytes' | 'revision' | 'events'): void => {
    const type = field === 'events' ? 'counter' : 'gauge'
    addReadFamily(registry, { name, help, type }, () =>
      read().map(({ group, resource, [field]: value }) => ({ labels: { group, resource }, value })),
    )
  }
  family(
    'apiserver_resource_objects',
    'Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    'objects',
  )
  family(
    'apiserver_resource_size_estimate_bytes',
    'Estimated size of stored objects in database. Estimate is based on sum of last observed sizes of serialized objects. In case of a fetching error, the value will be -1.',
    'bytes',
  )
  family(
    'apiserver_watch_cache_resource_version',
    'Current resource version of watch cache broken by resource type.',
    'revision',
  )
  family('apiserver_storage_events_received_total', 'Number of etcd events received split by kind.', 'events')
  family(
    'apiserver_watch_cache_events_received_total',
    'Counter of events received in watch cache broken by resource type.',
    'events',
  )
}

/** Upstream's names of the places that lists are read from. */
const STORAGES = [
  ['watchcache', 'cache'],
  ['etcd', 'store'],
] as const

function registerLists(registry: Registry, read: ServerFacts['resources']): void {
  const family = (name: string, help: string, field: keyof ListCounts, index?: string): void => {
    addReadFamily(registry, { name: `apiserver_storage_list_${name}`, help, type: 'counter' }, () =>
      read().flatMap(({ group, resource, lists }) =>
        STORAGES.filter(([, place]) => lists[place].lists > 0).map(([storage, place]) => ({
          labels: { group, resource, storage, ...(index === undefined ? {} : { index }) },
          value: lists[place][field],
        })),
      ),
    )
  }
  family('total', 'Number of LIST requests served from storage', 'lists', '')
  family(
    'fetched_objects_total',
    'Number of objects read from storage in the course of serving a LIST request',
    'fetched',
    '',
  )
  family(
    'evaluated_objects_total',
    'Number of objects tested in the course of serving a LIST request from storage',
    'evaluated',
  )
  family('returned_objects_total', 'Number of objects returned for a LIST request from storage', 'returned')
}

function registerPools(registry: Registry, read: ServerFacts['pools']): void {
  const family = (name: string, help: string, valuesOf: () => { labels: Record<string, string>; value: number }[]) =>
    addReadFamily(registry, { name: `kube_apiserver_${name}`, help }, valuesOf)
  family('clusterip_allocator_allocated_ips', 'Gauge measuring the number of allocated IPs for Services', () =>
    read().addresses.map(({ cidr, taken }) => ({ labels: { cidr }, value: taken })),
  )
  family('clusterip_allocator_available_ips', 'Gauge measuring the number of available IPs for Services', () =>
    read().addresses.map(({ cidr, taken, size }) => ({ labels: { cidr }, value: size - taken })),
  )
  family('nodeport_allocator_allocated_ports', 'Gauge measuring the number of allocated NodePorts for Services', () => [
    { labels: {}, value: read().ports.taken },
  ])
  family('nodeport_allocator_available_ports', 'Gauge measuring the number of available NodePorts for Services', () => {
    const { taken, size } = read().ports
    return [{ labels: {}, value: size - taken }]
  })
}
