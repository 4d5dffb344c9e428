/** Empties a simulated node as `kubectl drain` does: cordons it, evicts its pods, and waits until they are gone. */
import { NODES, PODS } from '#api/resources.gen.ts'
import { StatusError, isNotFound } from '#machinery/status-error.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'

/** kubectl's pause after a refusal because of a PodDisruptionBudget. */
const RETRY_MS = 5000
const TOO_MANY_REQUESTS = 429

export async function drain(cluster: SimulatedCluster, node: string, limitMs: number): Promise<void> {
  await setUnschedulable(cluster, node, true)
  const endMs = cluster.clock.now() + limitMs
  for (;;) {
    const { items } = await cluster.perform(cluster.client.list(PODS, '', { fieldSelector: `spec.nodeName=${node}` }))
    if (items.length === 0) return
    if (cluster.clock.now() >= endMs) throw new Error(`${node} still has ${items.length} pods after the drain`)
    for (const { metadata } of items)
      if (metadata.deletionTimestamp === undefined) await evict(cluster, metadata.namespace!, metadata.name)
    await cluster.run(RETRY_MS)
  }
}

export async function setUnschedulable(cluster: SimulatedCluster, node: string, unschedulable: boolean): Promise<void> {
  await cluster.perform(cluster.client.patch(NODES, '', node, 'strategic', { spec: { unschedulable } }))
}

async function evict(cluster: SimulatedCluster, namespace: string, name: string): Promise<void> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  try {
    await cluster.perform(cluster.client.createSubresource(PODS, namespace, name, 'eviction', body))
  } catch (error) {
    const isBudget = error instanceof StatusError && error.code === TOO_MANY_REQUESTS
    if (!isBudget && !isNotFound(error)) throw error // Gone already, or to be tried again: both are seen in the next round.
  }
}
