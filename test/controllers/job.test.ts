/** Jobs and disruption budgets against a whole API server. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import type { Job, JobSpec } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import { JOBS, PODDISRUPTIONBUDGETS, PODS, REPLICASETS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.close())

const INDEX = 'batch.kubernetes.io/job-completion-index'

async function createJob(name: string, spec: Partial<JobSpec>): Promise<void> {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  await cluster.client.create<Job>(JOBS, { metadata: { name, namespace: 'default' }, spec: { template, ...spec } })
}

async function podsOf(job: string): Promise<Pod[]> {
  return (await cluster.client.list<Pod>(PODS, 'default', { labelSelector: `job-name=${job}` })).items
}

function pendingPods(job: string, count: number): Promise<Pod[]> {
  return cluster.eventually(async () => {
    const pods = (await podsOf(job)).filter(({ status }) => status?.phase === 'Pending')
    return pods.length === count ? pods : null
  })
}

async function end({ metadata }: Pod, phase: string): Promise<void> {
  const options = { subresource: 'status' }
  await cluster.client.patch(PODS, 'default', metadata.name, 'strategic', { status: { phase } }, options)
}

function withCondition(name: string, type: string): Promise<Job> {
  return cluster.eventually(async () => {
    const job = await cluster.client.get<Job>(JOBS, 'default', name)
    return job.status?.conditions?.some((condition) => condition.type === type) ? job : null
  })
}

test('a Job completes, and every pod is counted once', async () => {
  await createJob('three', { completions: 3, parallelism: 2 })
  for (const pod of await pendingPods('three', 2)) await end(pod, 'Succeeded')
  for (const pod of await pendingPods('three', 1)) await end(pod, 'Succeeded')
  const { status } = await withCondition('three', 'Complete')
  assert.equal(status?.succeeded, 3)
  assert.deepEqual(status?.uncountedTerminatedPods, {})
  for (const { metadata } of await podsOf('three')) assert.equal(metadata.finalizers, undefined)
})

test('a Job fails when its pods have failed too often', async () => {
  await createJob('failing', { backoffLimit: 0 })
  for (const pod of await pendingPods('failing', 1)) await end(pod, 'Failed')
  const { status } = await withCondition('failing', 'Failed')
  assert.equal(status?.failed, 1)
  assert.equal(status?.conditions?.at(-1)?.reason, 'BackoffLimitExceeded')
})

test('the pods of an indexed Job fail by themselves', async () => {
  await createJob('indexed', { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 0 })
  for (const pod of await pendingPods('indexed', 3))
    await end(pod, pod.metadata.annotations?.[INDEX] === '1' ? 'Failed' : 'Succeeded')
  const { status } = await withCondition('indexed', 'Failed')
  assert.deepEqual([status?.completedIndexes, status?.failedIndexes], ['0,2', '1'])
})

test('a suspended Job has no pods, and their end is no failure', async () => {
  const { client } = cluster
  const suspend = (value: boolean) => client.patch(JOBS, 'default', 'paused', 'merge', { spec: { suspend: value } })
  await createJob('paused', { parallelism: 2, completions: 2 })
  await pendingPods('paused', 2)
  await suspend(true)
  const { status } = await withCondition('paused', 'Suspended')
  assert.equal(status?.failed, undefined)
  await cluster.eventually(async () => ((await podsOf('paused')).length === 0 ? true : null))
  await suspend(false)
  await pendingPods('paused', 2)
})

test('a deleted Job takes its pods along, though they are tracked', async () => {
  await createJob('gone', { parallelism: 2, completions: 2 })
  await pendingPods('gone', 2)
  await cluster.client.delete(JOBS, 'default', 'gone', { propagationPolicy: 'Background' })
  await cluster.eventually(async () => ((await podsOf('gone')).length === 0 ? true : null))
})

test('an ended Job expires', async () => {
  await createJob('short', { ttlSecondsAfterFinished: 0 })
  for (const pod of await pendingPods('short', 1)) await end(pod, 'Succeeded')
  await cluster.eventually(async () => {
    const { items } = await cluster.client.list<Job>(JOBS, 'default')
    return items.every(({ metadata }) => metadata.name !== 'short') ? true : null
  })
})

test('a budget allows as many evictions as its pods can bear', async () => {
  const { client, eventually } = cluster
  const selector = { matchLabels: { app: 'budget' } }
  await client.create<PodDisruptionBudget>(PODDISRUPTIONBUDGETS, {
    metadata: { name: 'budget', namespace: 'default' },
    spec: { maxUnavailable: 1, selector },
  })
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  await client.create<ReplicaSet>(REPLICASETS, {
    metadata: { name: 'budget', namespace: 'default' },
    spec: { replicas: 2, selector, template: { metadata: { labels: { app: 'budget' } }, spec } },
  })
  const allows = (count: number) =>
    eventually(async () => {
      const { status } = await client.get<PodDisruptionBudget>(PODDISRUPTIONBUDGETS, 'default', 'budget')
      return status?.expectedPods === 2 && (status.disruptionsAllowed ?? 0) === count ? status : null
    })
  await allows(0)
  const { items } = await client.list<Pod>(PODS, 'default', { labelSelector: 'app=budget' })
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  for (const { metadata } of items)
    await client.patch(PODS, 'default', metadata.name, 'strategic', { status }, { subresource: 'status' })
  assert.equal((await allows(1)).desiredHealthy, 1)
  const { name } = items[0]!.metadata
  await client.createSubresource(PODS, 'default', name, 'eviction', { metadata: { name, namespace: 'default' } })
  await allows(0)
})
