/** Informers against a scripted server: lists, watches that break in every way, and what handlers hear of it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ConfigMap } from '#api/core/v1.gen.ts'
import { CONFIGMAPS } from '#api/resources.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { StatusError, resourceExpired } from '#machinery/status-error.ts'
import { SharedInformerFactory } from './informer-factory.ts'
import type { Informer } from './informer.ts'
import { RestClient } from './rest-client.ts'
import type { TransportRequest } from './transport.ts'

type Batch = readonly { type: string; object: unknown }[]
type WatchScript = (query: TransportRequest['query'], signal: AbortSignal) => AsyncIterable<Batch>

const object = (name: string, version: number, uid = name): ConfigMap => ({
  metadata: { namespace: 'n', name, uid, resourceVersion: String(version), creationTimestamp: '' },
})
const event = (type: string, of: ConfigMap): Batch[number] => ({ type, object: of })
const bookmark = (version: number): Batch[number] => {
  const annotations = { 'k8s.io/initial-events-end': 'true' }
  return event('BOOKMARK', { metadata: { ...object('', version).metadata, annotations } })
}

/** Stays open until it is aborted, after these batches. */
async function* open(batches: readonly Batch[], signal: AbortSignal): AsyncGenerator<Batch> {
  yield* batches
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

async function* ended(batches: readonly Batch[] = []): AsyncGenerator<Batch> {
  yield* batches
}

// oxlint-disable-next-line require-yield -- it fails before its first batch
async function* failed(error: Error): AsyncGenerator<Batch> {
  throw error
}

class Server {
  readonly clock = new VirtualClock()
  readonly watches: TransportRequest['query'][] = []
  readonly lists: TransportRequest['query'][] = []
  readonly heard: string[] = []
  readonly closing = new AbortController()
  readonly informer: Informer<ConfigMap>
  readonly factory: SharedInformerFactory

  /** The scripts answer the watches in turn; the last one answers all that follow. */
  constructor(
    scripts: readonly WatchScript[],
    list: (query: TransportRequest['query']) => unknown = () => assert.fail('no list'),
  ) {
    const client = new RestClient({
      request: async ({ query }) => {
        this.lists.push(query)
        return list(query)
      },
      watch: ({ query, signal }) => {
        const script = scripts[Math.min(this.watches.length, scripts.length - 1)]!
        this.watches.push(query)
        return script(query, signal!)
      },
      close: async () => {},
    })
    this.factory = new SharedInformerFactory({ client, clock: this.clock, random: new SeededRandom(1), log: NO_LOG })
    this.informer = this.factory.informer<ConfigMap>(CONFIGMAPS)
    this.informer.addHandler({
      added: ({ metadata }) => this.heard.push(`+${metadata.name}@${metadata.resourceVersion}`),
      updated: ({ metadata }, old) =>
        this.heard.push(`~${metadata.name}@${old.metadata.resourceVersion}>${metadata.resourceVersion}`),
      deleted: ({ metadata }) => this.heard.push(`-${metadata.name}@${metadata.resourceVersion}`),
    })
    this.factory.start(this.closing.signal)
  }

  takeHeard(): string[] {
    return this.heard.splice(0)
  }
}

const streamed: WatchScript = (_, signal) =>
  open([[event('ADDED', object('a', 1)), event('ADDED', object('b', 2)), bookmark(5)]], signal)
const refused: WatchScript = () =>
  failed(new StatusError({ code: 422, reason: 'Invalid', message: 'sendInitialEvents is forbidden' }))

test('the list is streamed; synced when it is complete, and handlers hear of each object once', async () => {
  const server = new Server([streamed])
  assert.equal(server.informer.hasSynced(), false)
  await server.clock.advance(0)
  await server.factory.synced()
  assert.deepEqual(server.takeHeard(), ['+a@1', '+b@2'])
  assert.equal(server.watches[0]!['sendInitialEvents'], 'true')
  assert.equal(server.watches[0]!['resourceVersionMatch'], 'NotOlderThan')
  assert.equal(server.informer.get('n/a')?.metadata.resourceVersion, '1')
  const late: string[] = []
  server.informer.addHandler({ added: ({ metadata }) => late.push(metadata.name) })
  assert.deepEqual(late, ['a', 'b'], 'a late handler hears of what is there')
})

test('events that follow the initial list in the same batch are not lost', async () => {
  const server = new Server([
    (_, signal) => open([[event('ADDED', object('a', 1)), bookmark(5), event('MODIFIED', object('a', 6))]], signal),
  ])
  await server.clock.advance(0)
  assert.deepEqual(server.takeHeard(), ['+a@1', '~a@1>6'])
})

test('a server without streamed lists is listed page by page, then watched from there', async () => {
  const pages: Record<string, unknown> = {
    '': { metadata: { resourceVersion: '9', continue: 'next' }, items: [object('a', 1)] },
    next: { metadata: { resourceVersion: '9' }, items: [object('b', 2)] },
  }
  const server = new Server([refused, (_, signal) => open([], signal)], (query) => pages[query['continue'] ?? ''])
  await server.clock.advance(0)
  assert.deepEqual(server.takeHeard(), ['+a@1', '+b@2'])
  assert.deepEqual(server.lists, [{ limit: '500' }, { limit: '500', continue: 'next' }])
  assert.equal(server.watches[1]!['resourceVersion'], '9')
})

test('pages that expire on the way are asked for anew, all at once', async () => {
  const server = new Server([refused, (_, signal) => open([], signal)], (query) => {
    if (query['continue'] !== undefined) throw resourceExpired('The provided continue parameter is too old')
    if (query['limit'] !== undefined)
      return { metadata: { resourceVersion: '9', continue: 'next' }, items: [object('gone', 1)] }
    return { metadata: { resourceVersion: '12' }, items: [object('a', 10), object('b', 11)] }
  })
  await server.clock.advance(0)
  assert.deepEqual(server.takeHeard(), ['+a@10', '+b@11'])
  assert.equal(server.watches[1]!['resourceVersion'], '12')
})

test('a watch that the server ends goes on from the last revision, bookmarks included', async () => {
  const server = new Server([
    () => ended([[event('ADDED', object('a', 1)), bookmark(5), event('BOOKMARK', object('', 8))]]),
    (_, signal) => open([[event('DELETED', object('a', 9))]], signal),
  ])
  await server.clock.advance(0)
  assert.deepEqual(server.takeHeard(), ['+a@1', '-a@9'])
  assert.equal(server.watches[1]!['resourceVersion'], '8')
  assert.equal(server.watches[1]!['sendInitialEvents'], undefined)
})

test('after history is gone the list is taken anew: differences alone are told, deletions too', async () => {
  const expired = { type: 'ERROR', object: resourceExpired('too old resource version').toStatus() }
  const server = new Server([
    (_, signal) =>
      open([[event('ADDED', object('a', 1)), event('ADDED', object('b', 2)), bookmark(5)], [expired]], signal),
    (_, signal) => open([[event('ADDED', object('a', 1)), event('ADDED', object('c', 7)), bookmark(8)]], signal),
  ])
  await server.clock.advance(0)
  server.takeHeard()
  await server.clock.advance(2000)
  assert.deepEqual(server.takeHeard(), ['+c@7', '-b@2'])
  assert.equal(server.watches[1]!['sendInitialEvents'], 'true')
})

test('an object that was deleted and made anew behind a lost watch is two objects', async () => {
  const expired = { type: 'ERROR', object: resourceExpired('too old resource version').toStatus() }
  const server = new Server([
    (_, signal) => open([[event('ADDED', object('a', 1, 'first')), bookmark(5)], [expired]], signal),
    (_, signal) => open([[event('ADDED', object('a', 7, 'second')), bookmark(8)]], signal),
  ])
  await server.clock.advance(2000)
  assert.deepEqual(server.takeHeard(), ['+a@1', '-a@1', '+a@7'])
})

test('a revision that the server has not reached yet leads to a new list', async () => {
  const details = { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] }
  const ahead = new StatusError({ code: 504, reason: 'Timeout', message: 'Too large resource version: 9', details })
  const server = new Server([
    () => ended([[event('ADDED', object('a', 1)), bookmark(9)]]),
    () => failed(ahead),
    (_, signal) => open([[event('ADDED', object('z', 2)), bookmark(3)]], signal),
  ])
  await server.clock.advance(2000)
  assert.deepEqual(server.takeHeard(), ['+a@1', '+z@2', '-a@1'])
})

test('failures are retried with growing pauses between 0.1 and 60 seconds', async () => {
  const server = new Server([() => failed(new Error('connection refused'))])
  await server.clock.advance(600_000)
  assert.ok(server.watches.length >= 14 && server.watches.length <= 32, `${server.watches.length} attempts`)
  const other = new Server([() => failed(new Error('connection refused'))])
  await other.clock.advance(99)
  assert.equal(other.watches.length, 1)
})

test('a server that ends every watch at once is not asked without pause', async () => {
  const server = new Server([() => ended([[bookmark(5)]]), () => ended()])
  await server.clock.advance(10_000)
  assert.ok(server.watches.length <= 8, `${server.watches.length} watches in ten seconds`)
})

test('a handler that fails keeps neither the others nor the informer from going on', async () => {
  const server = new Server([streamed])
  const heard: string[] = []
  server.informer.addHandler({
    added: () => {
      throw new Error('a mistake')
    },
  })
  server.informer.addHandler({ added: ({ metadata }) => heard.push(metadata.name) })
  await server.clock.advance(0)
  assert.deepEqual(heard, ['a', 'b'])
})

test('indexes answer by key through changes, and an aborted informer asks no more', async () => {
  const labelled = (name: string, version: number, label: string): ConfigMap => {
    const { metadata } = object(name, version)
    return { metadata: { ...metadata, labels: { app: label } } }
  }
  const push = Promise.withResolvers<void>()
  const server = new Server([
    async function* (_, signal) {
      yield [event('ADDED', labelled('a', 1, 'x')), bookmark(5)]
      await push.promise
      yield* open([[event('MODIFIED', labelled('a', 6, 'y'))]], signal)
    },
  ])
  server.informer.addIndex('app', ({ metadata }) => [metadata.labels?.['app'] ?? ''])
  await server.clock.advance(0)
  assert.equal(server.informer.byIndex('app', 'x').length, 1)
  push.resolve()
  await server.clock.advance(0)
  assert.deepEqual([server.informer.byIndex('app', 'x').length, server.informer.byIndex('app', 'y').length], [0, 1])
  server.closing.abort(new Error('over'))
  await server.clock.advance(120_000)
  assert.equal(server.watches.length, 1)
  assert.equal(server.clock.nextTimerAt(), null)
})
