/** A feed over lost and resumed watches: nothing is missed, what vanished in between is dropped. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PODS } from '#api/resources.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Client, WatchOptions } from '#client/client.ts'
import { resourceExpired } from '#machinery/status-error.ts'
import { ObjectFeeds } from './object-feeds.ts'

type Event = { type: string; object: unknown }

const event = (type: string, name: string, resourceVersion: string, annotations = {}): Event => ({
  type,
  object: { metadata: { name, namespace: 'a', resourceVersion, annotations } },
})
const end = (resourceVersion: string): Event =>
  event('BOOKMARK', '', resourceVersion, { 'k8s.io/initial-events-end': 'true' })

/** Answers each watch with the next script; a script that ends with an error throws it. */
function scripted(scripts: readonly (readonly (Event | Error)[])[]): { client: Client; asked: WatchOptions[] } {
  const asked: WatchOptions[] = []
  const watch = async function* (_resource: unknown, _namespace: string, options: WatchOptions) {
    const script = scripts[asked.length]
    asked.push(options)
    if (script === undefined) return new Promise(() => {})
    for (const step of script) {
      if (step instanceof Error) throw step
      yield [step]
    }
  }
  return { client: { watch } as unknown as Client, asked }
}

test('resumes from the last revision, lists anew after an expired one, drops what is gone', async () => {
  const clock = new VirtualClock()
  const { client, asked } = scripted([
    [event('ADDED', 'x', '9'), event('ADDED', 'y', '3'), end('10'), event('MODIFIED', 'x', '11')],
    [event('DELETED', 'x', '12'), event('ADDED', 'z', '13'), resourceExpired('too old')],
    [event('ADDED', 'x', '20'), event('ADDED', 'z', '13'), end('21')],
  ])
  const log: string[] = []
  const feeds = new ObjectFeeds({ client, clock, log: NO_LOG })
  feeds.follow(PODS, {
    set: (pod) => log.push(`set ${pod.metadata.name}`),
    drop: (pod) => log.push(`drop ${pod.metadata.namespace}/${pod.metadata.name}`),
  })
  const stop = new AbortController()
  feeds.start(stop.signal)
  await feeds.synced()
  await clock.advance(1000)
  assert.deepEqual(log, ['set x', 'set y', 'set x', 'drop a/x', 'set z', 'set x', 'set z', 'drop a/y'])
  assert.deepEqual(
    asked.map(({ resourceVersion, sendInitialEvents }) => [resourceVersion, sendInitialEvents]),
    [
      [undefined, true],
      ['11', undefined],
      [undefined, true],
      ['21', undefined],
    ],
  )
  stop.abort()
})

test('a list that breaks off is begun again', async () => {
  const clock = new VirtualClock()
  const { client, asked } = scripted([[event('ADDED', 'x', '9')], [event('ADDED', 'x', '9'), end('10')]])
  const feeds = new ObjectFeeds({ client, clock, log: NO_LOG })
  feeds.follow(PODS, { set: () => {}, drop: () => {} })
  const stop = new AbortController()
  feeds.start(stop.signal)
  await feeds.synced()
  assert.equal(asked[1]?.sendInitialEvents, true)
  stop.abort()
})
