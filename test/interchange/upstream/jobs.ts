/** Jobs and CronJobs, driven to their ends by upstream's controllers. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { UpstreamCluster } from './cluster.ts'
import { job, podTemplate } from './objects.ts'

const NAMESPACE = 'jobs'

export function testJobs(cluster: () => UpstreamCluster): void {
  const kubectl = (...args: string[]): Promise<string> => cluster().kubectl('-n', NAMESPACE, ...args)
  const field = (target: string, jsonpath: string): Promise<string> => cluster().field(NAMESPACE, target, jsonpath)

  test('a CronJob starts a Job each minute, and keeps the last of them', async () => {
    await cluster().createNamespace(NAMESPACE)
    await cluster().create({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'tick', namespace: NAMESPACE },
      spec: { schedule: '* * * * *', successfulJobsHistoryLimit: 1, jobTemplate: { spec: jobSpec } },
    })
    await kubectl('create', 'job', 'by-hand', '--from=cronjob/tick')
    await kubectl('wait', 'job/by-hand', '--for=condition=Complete', '--timeout=20s')
  })

  test('a Job runs its completions and is Complete', async () => {
    await cluster().create(job(NAMESPACE, 'four', 'Succeeded', { completions: 4, parallelism: 2 }))
    await kubectl('wait', 'job/four', '--for=condition=Complete', '--timeout=30s')
    assert.equal(
      await field('job/four', '{.status.succeeded} {.status.conditions[*].type}'),
      '4 SuccessCriteriaMet Complete',
    )
  })

  test('an Indexed Job runs each index once', async () => {
    await cluster().create(
      job(NAMESPACE, 'indexed', 'Succeeded', { completions: 3, parallelism: 3, completionMode: 'Indexed' }),
    )
    await kubectl('wait', 'job/indexed', '--for=condition=Complete', '--timeout=30s')
    assert.equal(await field('job/indexed', '{.status.completedIndexes}'), '0-2')
    const indexes = await field(
      'pod -l batch.kubernetes.io/job-name=indexed',
      '{.items[*].metadata.labels.batch\\.kubernetes\\.io/job-completion-index}',
    )
    assert.deepEqual(indexes.split(' ').toSorted(), ['0', '1', '2'])
  })

  test('a Job whose pods fail gives up, as its policy says', async () => {
    const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3] } }]
    await cluster().create(
      job(NAMESPACE, 'hopeless', 'Failed', { podFailurePolicy: { rules } }),
      job(NAMESPACE, 'limited', 'Failed', { backoffLimit: 0 }),
    )
    await kubectl('wait', 'job/hopeless', 'job/limited', '--for=condition=Failed', '--timeout=30s')
    const why = (name: string): Promise<string> =>
      field(`job/${name}`, '{.status.conditions[?(@.type=="Failed")].reason}')
    assert.equal(await why('hopeless'), 'PodFailurePolicy')
    assert.equal(await why('limited'), 'BackoffLimitExceeded')
  })

  test('a suspended Job has no pod until it is resumed', async () => {
    await cluster().create(job(NAMESPACE, 'later', 'Succeeded', { suspend: true }))
    await kubectl('wait', 'job/later', '--for=condition=Suspended', '--timeout=20s')
    assert.deepEqual(await cluster().names(NAMESPACE, 'pod', '-l', 'job-name=later'), [])
    await kubectl('patch', 'job', 'later', '--type=merge', '-p', '{"spec":{"suspend":false}}')
    await kubectl('wait', 'job/later', '--for=condition=Complete', '--timeout=30s')
  })

  test('a finished Job goes after its time to live, and its pods with it', async () => {
    await cluster().create(job(NAMESPACE, 'brief', 'Succeeded', { ttlSecondsAfterFinished: 1 }))
    await kubectl('wait', 'job/brief', '--for=delete', '--timeout=30s')
    await cluster().eventually('its pods are gone', async () => {
      const pods = await cluster().names(NAMESPACE, 'pod', '-l', 'job-name=brief')
      return pods.length === 0
    })
  })
}

/** Stands last, when the first tests have long begun. */
export function testTick(cluster: () => UpstreamCluster): void {
  test('the CronJob has started its Job', async () => {
    const scheduled = async (): Promise<boolean> =>
      (await cluster().field(NAMESPACE, 'cronjob/tick', '{.status.lastSuccessfulTime}')) !== ''
    await cluster().eventually('a Job of the schedule ends', scheduled, 75_000)
    await cluster().eventually('one is kept', async () => {
      const owners = await cluster().field(NAMESPACE, 'job', '{.items[*].metadata.ownerReferences[*].name}')
      return owners.split(' ').filter((name) => name === 'tick').length <= 2 // The one by hand counts as well.
    })
  })
}

const jobSpec = { template: podTemplate({ ends: 'Succeeded' }, { restartPolicy: 'Never' }) }
