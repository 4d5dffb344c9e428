/** A pod that is bound to a node carries the node's zone and region as labels. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const TOPOLOGY_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

export function createPodTopologyLabels(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'pods')) return
      const { metadata, spec } = attributes.object as Pod
      const labels = await topologyLabelsOf(cluster, spec.nodeName ?? '')
      if (Object.keys(labels).length > 0) metadata.labels = { ...metadata.labels, ...labels }
    },
  }
}

/** Empty for a node that does not exist. */
export async function topologyLabelsOf(cluster: ClusterReader, nodeName: string): Promise<Record<string, string>> {
  if (nodeName === '') return {}
  const node = await cluster.get<Node>('', 'nodes', '', nodeName)
  const labels = node?.metadata.labels ?? {}
  return Object.fromEntries(Object.entries(labels).filter(([name]) => TOPOLOGY_LABELS.includes(name)))
}
