/** Deployments whose pods a quota refuses, against a whole API server: how often they are tried, and what their status says. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Deployment, DeploymentCondition } from '#api/apps/v1.gen.ts'
import type { Namespace, ResourceQuota } from '#api/core/v1.gen.ts'
import { CONFIGMAPS, DEPLOYMENTS, NAMESPACES, PODS, RESOURCEQUOTAS } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG, type Logger } from '#base/log.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

const REFUSED = /^StatusError: pods "web-.*" is forbidden: exceeded quota/

let cluster: TestCluster
/** Rounds of the ReplicaSet controller that ended with a refused pod. */
let refusals = 0
before(async () => {
  const warn: Logger['warn'] = (_message, fields) => {
    if (REFUSED.test(String(fields?.['error']))) refusals++
  }
  const log: Logger = { ...NO_LOG, warn, child: () => log }
  cluster = await startTestCluster({ rootCa: 'PEM' }, log)
})
after(() => cluster.close())

async function namespaceWith(name: string, pods: string): Promise<void> {
  const { client, eventually } = cluster
  await client.create<Namespace>(NAMESPACES, { metadata: { name }, spec: {} })
  await client.create<ResourceQuota>(RESOURCEQUOTAS, {
    metadata: { name: 'q', namespace: name },
    spec: { hard: { pods } },
  })
  await eventually(async () => (await client.get<ResourceQuota>(RESOURCEQUOTAS, name, 'q')).status?.used)
  await eventually(() => client.get(CONFIGMAPS, name, 'kube-root-ca.crt'))
}

async function deploy(namespace: string, more: object = {}): Promise<void> {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await cluster.eventually(() =>
    cluster.client.create<Deployment>(DEPLOYMENTS, {
      metadata: { name: 'web', namespace },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template, ...more },
    }),
  )
}

const conditionOf = (namespace: string, type: string, reason: string): Promise<DeploymentCondition> =>
  cluster.eventually(async () => {
    const { status } = await cluster.client.get<Deployment>(DEPLOYMENTS, namespace, 'web')
    return status?.conditions?.find((condition) => condition.type === type && condition.reason === reason)
  })

test('refused pods are tried again more and more rarely, and made once the quota allows them', async () => {
  const { client, eventually } = cluster
  await namespaceWith('backoff', '1')
  refusals = 0
  const clock = new SystemClock({ keepsProcessAlive: true })
  const startedMs = clock.monotonic()
  await deploy('backoff')
  const failure = await conditionOf('backoff', 'ReplicaFailure', 'FailedCreate')
  // Waits of 5, 10, 20, … 160 ms come to 315; the few changes of the status wake it as well. A loop makes ten tries in some 10 ms.
  await eventually(() => Promise.resolve(refusals >= 10 ? true : null))
  const tookMs = clock.monotonic() - startedMs
  assert.ok(tookMs > 300, `${refusals} tries in ${tookMs} ms`)
  assert.deepEqual(await conditionOf('backoff', 'ReplicaFailure', 'FailedCreate'), failure)
  await client.patch(RESOURCEQUOTAS, 'backoff', 'q', 'merge', { spec: { hard: { pods: '9' } } })
  await eventually(async () => ((await client.list(PODS, 'backoff')).items.length === 3 ? true : null))
})

test('a rollout that gets no pod says so from its start, and that it failed after the deadline', async () => {
  await namespaceWith('deadline', '0')
  await deploy('deadline', { progressDeadlineSeconds: 1 })
  const created = await conditionOf('deadline', 'Progressing', 'NewReplicaSetCreated')
  assert.equal(created.status, 'True')
  assert.match(created.message!, /^Created new replica set "web-[a-z0-9]+"$/)
  const failed = await conditionOf('deadline', 'Progressing', 'ProgressDeadlineExceeded')
  assert.equal(failed.status, 'False')
  assert.match(failed.message!, /^ReplicaSet "web-[a-z0-9]+" has timed out progressing\.$/)
  const { metadata, status } = await cluster.client.get<Deployment>(DEPLOYMENTS, 'deadline', 'web')
  assert.equal(metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.deepEqual(status?.conditions?.map(({ type }) => type).toSorted(), [
    'Available',
    'Progressing',
    'ReplicaFailure',
  ])
})

test('a refused ReplicaSet shows on its Deployment', async () => {
  const { client } = cluster
  await namespaceWith('none', '9')
  await client.patch(RESOURCEQUOTAS, 'none', 'q', 'merge', { spec: { hard: { 'count/replicasets.apps': '0' } } })
  await cluster.eventually(async () => {
    const { status } = await client.get<ResourceQuota>(RESOURCEQUOTAS, 'none', 'q')
    return status?.used?.['count/replicasets.apps']
  })
  await deploy('none')
  const refused = await conditionOf('none', 'Progressing', 'ReplicaSetCreateError')
  assert.equal(refused.status, 'False')
  assert.match(
    refused.message!,
    /^Failed to create new replica set "web-[a-z0-9]+": replicasets.apps "web-[a-z0-9]+" is forb/,
  )
})
