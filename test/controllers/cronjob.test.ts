/** CronJobs against a whole API server, with the Jobs that they create. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { CronJob, CronJobSpec, Job } from '#api/batch/v1.gen.ts'
import type { Event } from '#api/core/v1.gen.ts'
import { CRONJOBS, EVENTS, JOBS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.close())

const EVERY_SECOND = '@every 1s'

async function createCronJob(name: string, spec: Partial<CronJobSpec>): Promise<void> {
  const pod = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  const jobTemplate = { metadata: { labels: { run: name } }, spec: { template: pod, suspend: true } }
  const body = { metadata: { name, namespace: 'default' }, spec: { schedule: '@yearly', jobTemplate, ...spec } }
  await cluster.client.create<CronJob>(CRONJOBS, body)
}

const get = (name: string) => cluster.client.get<CronJob>(CRONJOBS, 'default', name)

async function jobsOf(name: string): Promise<Job[]> {
  return (await cluster.client.list<Job>(JOBS, 'default', { labelSelector: `run=${name}` })).items
}

/** Events are written a little after what they tell of. */
function eventOf(name: string, reason: string): Promise<Event> {
  return cluster.eventually(async () => {
    const { items } = await cluster.client.list<Event>(EVENTS, 'default')
    return items.find((event) => event.involvedObject.name === name && event.reason === reason)
  })
}

async function end(job: Job, type: 'Complete' | 'Failed'): Promise<void> {
  const now = `${new Date().toISOString().slice(0, 19)}Z`
  const times = { status: 'True', lastProbeTime: now, lastTransitionTime: now }
  const before = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
  const live = await cluster.client.get<Job>(JOBS, 'default', job.metadata.name)
  const conditions = [before, type].map((name) => ({ type: name, ...times }))
  const ended = type === 'Complete' ? { completionTime: now } : {}
  await cluster.client.updateStatus(JOBS, {
    ...live,
    status: { ...live.status, startTime: now, ...ended, conditions },
  })
}

test('a CronJob starts one Job per minute, marked with its time', async () => {
  await createCronJob('starts', { schedule: EVERY_SECOND, concurrencyPolicy: 'Forbid' })
  const cronJob = await cluster.eventually(async () => {
    const shown = await get('starts')
    return shown.status?.active?.length === 1 ? shown : null
  })
  const [job] = await jobsOf('starts')
  const atMs = Date.parse(cronJob.status!.lastScheduleTime!)
  assert.equal(job!.metadata.name, `starts-${Math.floor(atMs / 60_000)}`)
  assert.equal(job!.metadata.ownerReferences?.[0]?.uid, cronJob.metadata.uid)
  assert.equal((await eventOf('starts', 'SuccessfulCreate')).message, `Created job ${job!.metadata.name}`)
})

/** A CronJob that is about to start a Job, with one that runs still. */
async function createBusy(name: string, concurrencyPolicy: string): Promise<void> {
  await createCronJob(name, { schedule: EVERY_SECOND, concurrencyPolicy, suspend: true })
  const running = await cluster.client.create<Job>(JOBS, {
    metadata: { name: `${name}-before`, namespace: 'default' },
    spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
  })
  const { uid } = running.metadata
  const active = [{ apiVersion: 'batch/v1', kind: 'Job', namespace: 'default', name: `${name}-before`, uid }]
  const cronJob = await get(name)
  await cluster.client.updateStatus<CronJob>(CRONJOBS, { ...cronJob, status: { active } })
  await cluster.client.patch(CRONJOBS, 'default', name, 'merge', { spec: { suspend: false } })
}

test('a run that is still active forbids the next one', async () => {
  await createBusy('forbid', 'Forbid')
  await eventOf('forbid', 'JobAlreadyActive')
  assert.deepEqual(await jobsOf('forbid'), [])
})

test('a run that is still active is replaced by the next one', async () => {
  await createBusy('replace', 'Replace')
  const { message } = await eventOf('replace', 'SuccessfulDelete')
  assert.equal(message, 'Deleted job replace-before')
  await eventOf('replace', 'SuccessfulCreate')
})

test('an ended Job leaves the list, and the history has a limit', async () => {
  await createCronJob('ends', { schedule: EVERY_SECOND, concurrencyPolicy: 'Forbid', successfulJobsHistoryLimit: 0 })
  const job = await cluster.eventually(async () => (await jobsOf('ends'))[0])
  await cluster.eventually(async () => ((await get('ends')).status?.active?.length === 1 ? true : null))
  await cluster.client.patch(CRONJOBS, 'default', 'ends', 'merge', { spec: { suspend: true } })
  // Whatever the Job controller writes meanwhile, the end is written in the end.
  await cluster.eventually(async () => (await end(job, 'Complete'), true))
  const { status } = await cluster.eventually(async () => {
    const shown = await get('ends')
    return shown.status?.active === undefined && shown.status?.lastSuccessfulTime !== undefined ? shown : null
  })
  assert.ok(Date.parse(status!.lastSuccessfulTime!) > 0)
  await cluster.eventually(async () => ((await jobsOf('ends')).length === 0 ? true : null))
  await eventOf('ends', 'SuccessfulDelete')
})

test('a suspended CronJob starts nothing; one that wakes up starts what it has missed', async () => {
  await createCronJob('asleep', { schedule: EVERY_SECOND, suspend: true })
  await createCronJob('witness', { schedule: EVERY_SECOND })
  await cluster.eventually(async () => ((await jobsOf('witness')).length > 0 ? true : null))
  assert.deepEqual(await jobsOf('asleep'), [])
  await cluster.client.patch(CRONJOBS, 'default', 'asleep', 'merge', { spec: { suspend: false } })
  await cluster.eventually(async () => ((await jobsOf('asleep')).length > 0 ? true : null))
})

test('a Job that is deleted from outside is not active any more', async () => {
  await createCronJob('missing', { schedule: EVERY_SECOND, concurrencyPolicy: 'Forbid' })
  const job = await cluster.eventually(async () => (await jobsOf('missing'))[0])
  await cluster.eventually(async () => ((await get('missing')).status?.active?.length === 1 ? true : null))
  await cluster.client.delete(JOBS, 'default', job.metadata.name, { propagationPolicy: 'Background' })
  const { message } = await eventOf('missing', 'MissingJob')
  assert.equal(message, `Active job went missing: ${job.metadata.name}`)
})

test('a day that never comes is told', async () => {
  await createCronJob('never', { schedule: '0 0 31 2 *' })
  const { message } = await eventOf('never', 'InvalidSchedule')
  assert.equal(message, 'invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second')
})
