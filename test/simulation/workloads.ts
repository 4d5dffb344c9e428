/** Steps that the simulations share: deployments, changes to them, and waiting for rest. */
import assert from 'node:assert/strict'
import type { Deployment } from '#api/apps/v1.gen.ts'
import { DEPLOYMENTS, NODES } from '#api/resources.gen.ts'
import { unconverged, unquietWrites } from '#simulator/convergence.ts'
import type { SimulatedCluster } from '#simulator/simulated-cluster.ts'
import { formatWrite } from '#simulator/write-log.ts'

const NAMESPACE = 'default'
const NOT_READY_TAINT = 'node.kubernetes.io/not-ready'
export const MINUTE_MS = 60_000

export type DeploymentOptions = {
  readonly name: string
  readonly replicas: number
  readonly strategy?: NonNullable<Deployment['spec']['strategy']>
}

export async function createDeployment(cluster: SimulatedCluster, options: DeploymentOptions): Promise<void> {
  const { name, replicas, strategy } = options
  const labels = { app: name }
  const container = { name: 'app', image: 'example:1', resources: { requests: { cpu: '100m', memory: '64Mi' } } }
  await cluster.perform(
    cluster.client.create<Deployment>(DEPLOYMENTS, {
      metadata: { name, namespace: NAMESPACE },
      spec: {
        replicas,
        ...(strategy === undefined ? {} : { strategy }),
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    }),
  )
}

export async function setImage(cluster: SimulatedCluster, name: string, image: string): Promise<void> {
  const containers = [{ name: 'app', image }]
  await patchDeployment(cluster, name, { spec: { template: { spec: { containers } } } })
}

export async function scale(cluster: SimulatedCluster, name: string, replicas: number): Promise<void> {
  await patchDeployment(cluster, name, { spec: { replicas } })
}

async function patchDeployment(cluster: SimulatedCluster, name: string, body: object): Promise<void> {
  await cluster.perform(cluster.client.patch(DEPLOYMENTS, NAMESPACE, name, 'strategic', body))
}

/** Waits until every node has registered and may be used. */
export async function nodesReady(cluster: SimulatedCluster): Promise<void> {
  await cluster.runUntil(
    'all nodes registered',
    async () => (await cluster.client.list(NODES, '')).items.length === cluster.nodeNames.length,
    MINUTE_MS,
  )
  await cluster.runUntil(
    'all nodes ready',
    async () => (await cluster.client.list(NODES, '')).items.every(({ spec }) => !isNotReady(spec)),
    MINUTE_MS,
  )
}

function isNotReady(spec: { taints?: readonly { key: string }[] } | undefined): boolean {
  return spec?.taints?.some(({ key }) => key === NOT_READY_TAINT) ?? false
}

export async function converges(cluster: SimulatedCluster, limitMs: number): Promise<void> {
  let problems: string[] = []
  const isConverged = async (): Promise<boolean> => {
    problems = await unconverged(cluster)
    return problems.length === 0
  }
  const endMs = cluster.clock.now() + limitMs
  while (!(await isConverged())) {
    assert.ok(cluster.clock.now() < endMs, `not converged after ${limitMs / 1000} s:\n${problems.join('\n')}`)
    await cluster.run(1000)
  }
}

/** A cluster that has converged writes nothing but signs of life, for a long time. */
export async function staysQuiet(cluster: SimulatedCluster, durationMs: number): Promise<void> {
  // Last events and conditions may still be under way.
  await cluster.run(MINUTE_MS)
  const before = cluster.writes().length
  await cluster.run(durationMs)
  const loud = unquietWrites(cluster.writes().slice(before))
  assert.equal(loud.length, 0, `writes of a cluster at rest:\n${loud.slice(0, 20).map(formatWrite).join('')}`)
  assert.deepEqual(await unconverged(cluster), [])
}
