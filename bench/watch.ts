/** What a change costs the watch cache: for watchers of everything, of one namespace, and of one object each. */
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { ResourceCache } from '#control-plane/apiserver/watch-cache/resource-cache.ts'
import type { WatchRequest } from '#control-plane/apiserver/watch-cache/watch-opener.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 5000)
const OBJECTS = 1000
const clock = new SystemClock({ keepsProcessAlive: true })

/** About as large as a pod. */
function podBytes(name: string, round: number): Buffer {
  const metadata = { name, namespace: 'default', uid: `uid-${name}`, labels: { app: 'web', round: String(round) } }
  const spec = {
    containers: [{ name: 'main', env: [{ name: 'PADDING', value: 'p'.repeat(4500) }] }],
    nodeName: `node-${name}`,
  }
  return Buffer.from(JSON.stringify({ kind: 'Pod', apiVersion: 'v1', metadata, spec, status: { phase: 'Running' } }))
}

async function openCache() {
  const store = createMemoryStore({ clock })
  const cache = new ResourceCache({
    store,
    clock,
    log: NO_LOG,
    prefix: '/registry/pods/',
    namespaced: true,
    emptyObject: { kind: 'Pod', apiVersion: 'v1' },
    selectableFields: { 'spec.nodeName': (pod: { spec: { nodeName?: string } }) => pod.spec.nodeName ?? '' },
    indexedField: 'spec.nodeName',
  })
  const revisions: number[] = []
  for (let index = 0; index < OBJECTS; index++) {
    const value = podBytes(`pod-${index}`, 0)
    revisions.push((await store.write(cache.keyOf('default', `pod-${index}`), { expectedRevision: 0, value })).revision)
  }
  await cache.list({})
  return { store, cache, revisions }
}

type Case = {
  readonly title: string
  readonly watchers: number
  readonly request: (watcher: number) => Partial<WatchRequest>
}

const CASES: readonly Case[] = [
  { title: 'no watcher', watchers: 0, request: () => ({}) },
  { title: '100 watchers of all', watchers: 100, request: () => ({}) },
  { title: '1,000 watchers of all', watchers: 1000, request: () => ({}) },
  {
    title: '1,000 watchers with a label selector',
    watchers: 1000,
    request: (watcher) => ({ matches: (pod) => pod.labels()['app'] === `app-${watcher}` }),
  },
  {
    title: '1,000 watchers of one object each',
    watchers: 1000,
    request: (watcher) => ({ namespace: 'default', name: `pod-${watcher}` }),
  },
  {
    title: '1,000 watchers of one node each',
    watchers: 1000,
    request: (watcher) => ({
      indexedValue: `node-pod-${watcher}`,
      matches: (pod) => pod.field('spec.nodeName') === `node-pod-${watcher}`,
    }),
  },
]

/** CPU time per event, from the write to the last watcher's hands; delivered events beside it. */
async function measure({ title, watchers, request }: Case): Promise<void> {
  const { store, cache, revisions } = await openCache()
  const { signal } = new AbortController()
  let delivered = 0
  const streams = []
  for (let watcher = 0; watcher < watchers; watcher++) {
    streams.push(await cache.watch({ ...request(watcher), resourceVersion: String(cache.revision), signal }))
  }
  const readers = streams.map(async (stream) => {
    for (let events = await stream.next(); events !== null; events = await stream.next()) delivered += events.length
  })
  const values = Array.from({ length: OBJECTS }, (_, index) => podBytes(`pod-${index}`, 1))
  const start = process.cpuUsage()
  for (let event = 0; event < EVENTS; event++) {
    const index = event % OBJECTS
    const key = cache.keyOf('default', `pod-${index}`)
    revisions[index] = (await store.write(key, { expectedRevision: revisions[index]!, value: values[index]! })).revision
  }
  await clock.yield()
  const { user, system } = process.cpuUsage(start)
  for (const stream of streams) stream.close()
  await Promise.all(readers)
  const perEvent = ((user + system) / EVENTS).toFixed(1)
  const perDelivery = delivered === 0 ? '' : `  ${((user + system) / delivered).toFixed(2)} us per delivery`
  console.log(
    `${title.padEnd(40)}${perEvent.padStart(8)} us per event  ${String(delivered / EVENTS).padStart(5)} deliveries per event${perDelivery}`,
  )
  cache.close()
  await store.close()
}

console.log(
  `${EVENTS} events on ${OBJECTS} objects of about 4.8 KB, written one after the other (CPU time of the whole process)`,
)
for (const one of CASES) await measure(one)
