/** Builders of nodes and pods for the scheduler's tests. */
import type { ReplicaSet, StatefulSet } from '#api/apps/v1.gen.ts'
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  ReplicationController,
  Service,
} from '#api/core/v1.gen.ts'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '#api/storage/v1.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { ClusterCache } from '../cache/cluster-cache.ts'
import { toPodInfo } from '../cache/node-info.ts'
import type { WeightedPlugin } from '../framework.ts'
import { listerOf } from '../lister.ts'
import { defaultPlugins, type PluginOptions } from '../plugins/index.ts'

const meta = (name: string) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})

export function buildNode(
  name: string,
  options: Partial<Node['spec']> & { allocatable?: Record<string, string>; labels?: Record<string, string> } = {},
): Node {
  const { allocatable, labels, ...spec } = options
  return {
    metadata: { ...meta(name), labels: labels ?? {} },
    spec,
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable } },
  }
}

export function buildPod(name: string, spec: Partial<PodSpec> & { requests?: Record<string, string> } = {}): Pod {
  const { requests, ...rest } = spec
  const container = { name: 'c', image: 'i', ...(requests === undefined ? {} : { resources: { requests } }) }
  return { metadata: { ...meta(name), namespace: 'default' }, spec: { containers: [container], ...rest } }
}

/** A cache of nodes, with pods on the node that each one names. */
export function buildCache(nodes: readonly Node[], pods: readonly Pod[] = []): ClusterCache {
  const cache = new ClusterCache()
  for (const node of nodes) cache.setNode(node)
  for (const pod of pods) cache.assume(toPodInfo(pod), pod.spec.nodeName!)
  return cache
}

/** The default plugins over a cluster in which nothing can be evicted and namespaces have no labels. */
export function buildPlugins(overrides: Partial<PluginOptions> = {}): readonly WeightedPlugin[] {
  const refuse = new Proxy({} as Client, {
    get: () => () => {
      throw new Error('this test has no API server')
    },
  })
  const random = new SeededRandom(1)
  return defaultPlugins({
    client: refuse,
    clock: new VirtualClock(0),
    random,
    log: NO_LOG,
    events: { event: () => {} },
    namespaceLabels: () => ({}),
    budgets: () => [],
    nominatedTo: () => [],
    preempted: () => {},
    services: listerOf<Service>([]),
    replicationControllers: listerOf<ReplicationController>([]),
    replicaSets: listerOf<ReplicaSet>([]),
    statefulSets: listerOf<StatefulSet>([]),
    nodes: listerOf<Node>([]),
    pods: listerOf<Pod>([]),
    claims: listerOf<PersistentVolumeClaim>([]),
    volumes: listerOf<PersistentVolume>([]),
    classes: listerOf<StorageClass>([]),
    drivers: listerOf<CSIDriver>([]),
    capacities: listerOf<CSIStorageCapacity>([]),
    csiNodes: listerOf<CSINode>([]),
    watchVolumes: () => {},
    ...overrides,
  })
}
