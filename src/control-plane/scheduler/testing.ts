/** Builders of nodes and pods for the scheduler's tests. */
import type { Node, Pod, PodSpec } from '#api/core/v1.gen.ts'
import type { Client } from '#client/client.ts'
import { ClusterCache } from './cache/cluster-cache.ts'
import { toPodInfo } from './cache/node-info.ts'
import type { WeightedPlugin } from './framework.ts'
import { defaultPlugins } from './plugins/index.ts'

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
export function buildPlugins(): readonly WeightedPlugin[] {
  const refuse = new Proxy({} as Client, {
    get: () => () => {
      throw new Error('this test has no API server')
    },
  })
  return defaultPlugins({ client: refuse, events: { event: () => {} }, namespaceLabels: () => ({}), budgets: () => [] })
}
