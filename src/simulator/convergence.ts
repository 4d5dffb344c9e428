/** What a cluster at rest looks like: everything that was asked for is there, and nobody writes any more. */
import type { Deployment } from '#api/apps/v1.gen.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { DEPLOYMENTS, NODES, PODS } from '#api/resources.gen.ts'
import { keyOf } from '#client/informer.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { Write } from './write-log.ts'

/** What is not yet as it should be, in words; empty when the cluster has converged. */
export async function unconverged(cluster: SimulatedCluster): Promise<string[]> {
  const { client } = cluster
  const [nodes, deployments, pods] = await cluster.perform(
    Promise.all([client.list(NODES, ''), client.list(DEPLOYMENTS, ''), client.list(PODS, '')]),
  )
  const upNodes = new Set(cluster.nodeNames.filter((name) => cluster.isNodeUp(name)))
  return [
    ...nodes.items.flatMap((node) => problemsOfNode(node, upNodes.has(node.metadata.name))),
    ...deployments.items.flatMap((deployment) => problemsOfDeployment(deployment, pods.items)),
    ...pods.items.flatMap((pod) => problemsOfPod(pod, upNodes)),
  ]
}

function problemsOfNode(node: Node, isUp: boolean): string[] {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')?.status
  if ((ready === 'True') !== isUp) return [`${node.metadata.name} is ${isUp ? 'up' : 'down'} but Ready is ${ready}`]
  return []
}

function problemsOfDeployment({ metadata, spec, status = {} }: Deployment, pods: readonly Pod[]): string[] {
  const replicas = spec.replicas ?? 1
  const actual = {
    generation: status.observedGeneration ?? 0,
    replicas: status.replicas ?? 0,
    updated: status.updatedReplicas ?? 0,
    available: status.availableReplicas ?? 0,
    pods: pods.filter((pod) => isOf(pod, spec.selector.matchLabels ?? {}, metadata.namespace)).length,
  }
  const wanted = { generation: metadata.generation, replicas, updated: replicas, available: replicas, pods: replicas }
  if (JSON.stringify(actual) === JSON.stringify(wanted)) return []
  return [`Deployment ${metadata.name} has ${JSON.stringify(actual)}, wanted ${JSON.stringify(wanted)}`]
}

function isOf({ metadata }: Pod, labels: Readonly<Record<string, string>>, namespace: string | undefined): boolean {
  return (
    metadata.namespace === namespace &&
    Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value)
  )
}

function problemsOfPod(pod: Pod, upNodes: ReadonlySet<string>): string[] {
  const { phase } = pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return []
  const node = pod.spec.nodeName ?? ''
  if (pod.metadata.deletionTimestamp !== undefined) return [`pod ${keyOf(pod)} on ${node} is still terminating`]
  if (phase === 'Running' && upNodes.has(node)) return []
  return [`pod ${keyOf(pod)} is ${phase} on ${node === '' ? 'no node' : node}`]
}

/** What nodes write to say that they live. */
const SIGNS_OF_LIFE = ['/registry/leases/', '/registry/minions/']
const EVENTS = '/registry/events/'

/** The writes that a cluster at rest does not make; events may expire. */
export function unquietWrites(writes: readonly Write[]): Write[] {
  return writes.filter(({ type, key }) => {
    if (SIGNS_OF_LIFE.some((prefix) => key.startsWith(prefix))) return false
    return type !== 'delete' || !key.startsWith(EVENTS)
  })
}
