/** Candidates for one lease on a virtual clock: one acts at a time, whatever the network and the leader do. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Lease } from '#api/coordination/v1.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { alreadyExists, conflict, notFound } from '#machinery/status-error.ts'
import { LeadershipLostError, runAsLeader } from './leader-election.ts'
import { RestClient } from './rest-client.ts'
import type { TransportRequest } from './transport.ts'

const RESOURCE = { group: 'coordination.k8s.io', resource: 'leases' }

/** One lease with the server's guard against lost updates. */
class LeaseServer {
  stored: Lease | null = null
  /** Called before each answer; may throw, or never end. */
  before: (holder: string) => Promise<void> = async () => {}
  readonly client = new RestClient({
    request: (request) => this.#answer(request),
    watch: () => assert.fail('no watch'),
    close: async () => {},
  })
  /** The answer to this holder's writes gets lost, after the write was done. */
  losesAnswersTo = ''

  async #answer({ method, body }: TransportRequest): Promise<unknown> {
    const next = body as Lease
    await this.before(method === 'GET' ? '' : (next.spec.holderIdentity ?? ''))
    if (method === 'GET') {
      if (this.stored === null) throw notFound(RESOURCE, 'l')
      return this.stored
    }
    if (method === 'POST' && this.stored !== null) throw alreadyExists(RESOURCE, 'l')
    if (method === 'PUT' && next.metadata.resourceVersion !== this.stored?.metadata.resourceVersion)
      throw conflict(RESOURCE, 'l', 'the object has been modified')
    const resourceVersion = String(Number(this.stored?.metadata.resourceVersion ?? 0) + 1)
    this.stored = { ...next, metadata: { ...next.metadata, uid: 'u', resourceVersion } }
    if (this.losesAnswersTo !== '' && next.spec.holderIdentity === this.losesAnswersTo)
      throw new Error('connection reset')
    return this.stored
  }
}

type Candidate = {
  readonly stop: AbortController
  isActing: boolean
  /** Set when the candidate has ended. */
  outcome: unknown
  finishWork: () => void
}

class Election {
  readonly clock = new VirtualClock()
  readonly server = new LeaseServer()
  readonly events: string[] = []
  readonly candidates = new Map<string, Candidate>()
  actingMax = 0

  start(identity: string, { endsOnAbort = true } = {}): Candidate {
    const { clock, server } = this
    const work = Promise.withResolvers<void>()
    const candidate: Candidate = {
      stop: new AbortController(),
      isActing: false,
      outcome: undefined,
      finishWork: work.resolve,
    }
    this.candidates.set(identity, candidate)
    const events = {
      event: (_: unknown, __: string, reason: string, text: string) => this.events.push(`${reason}: ${text}`),
    }
    const options = {
      client: server.client,
      clock,
      random: new SeededRandom(1),
      log: NO_LOG,
      namespace: 'n',
      name: 'l',
    }
    const lead = async (signal: AbortSignal): Promise<void> => {
      candidate.isActing = true
      this.actingMax = Math.max(this.actingMax, [...this.candidates.values()].filter((one) => one.isActing).length)
      if (endsOnAbort) signal.addEventListener('abort', () => work.resolve(), { once: true })
      await work.promise
      candidate.isActing = false
    }
    runAsLeader({ ...options, identity, events }, lead, candidate.stop.signal).then(
      () => (candidate.outcome = 'ended'),
      (error: unknown) => (candidate.outcome = error),
    )
    return candidate
  }
}

test('the lease is held as upstream writes it, and the leader renews it every two seconds', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(0)
  assert.equal(a.isActing, true)
  const acquired = election.server.stored!.spec
  assert.deepEqual(acquired, {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  })
  await election.clock.advance(4000)
  assert.deepEqual(election.server.stored!.spec, { ...acquired, renewTime: '2026-01-01T00:00:04.000000Z' })
  assert.deepEqual(election.events, ['LeaderElection: a became leader'])
})

test('a second candidate waits, and leads soon after the first one has given the lease up', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(0)
  const b = election.start('b')
  await election.clock.advance(120_000)
  assert.deepEqual([a.isActing, b.isActing], [true, false])
  a.stop.abort()
  await election.clock.advance(0)
  assert.equal(a.outcome, 'ended')
  assert.equal(election.server.stored!.spec.holderIdentity, '')
  await election.clock.advance(4500)
  assert.equal(b.isActing, true)
  assert.equal(election.server.stored!.spec.leaseTransitions, 1)
  assert.equal(election.actingMax, 1)
})

test('a leader that cannot renew stops before a second one may start', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(0)
  const b = election.start('b')
  await election.clock.advance(60_000)
  election.server.before = async (holder) => {
    if (holder === 'a') throw new Error('no route to host')
  }
  await election.clock.advance(9000)
  assert.deepEqual([a.isActing, b.isActing], [true, false], 'it may still succeed')
  await election.clock.advance(2000)
  assert.deepEqual([a.isActing, b.isActing], [false, false])
  assert.ok(a.outcome instanceof LeadershipLostError)
  await election.clock.advance(10_000)
  assert.equal(b.isActing, true)
  assert.equal(election.actingMax, 1)
  assert.deepEqual(election.events, [
    'LeaderElection: a became leader',
    'LeaderElection: a stopped leading',
    'LeaderElection: b became leader',
  ])
})

test('a leader whose calls are never answered stops as well', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(0)
  election.server.before = () => new Promise(() => {})
  await election.clock.advance(10_100)
  assert.equal(a.isActing, false)
  assert.ok(a.outcome instanceof LeadershipLostError)
})

test('a lease written by a call whose answer was lost stays with its holder', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(0)
  election.server.losesAnswersTo = 'a'
  await election.clock.advance(3000)
  election.server.losesAnswersTo = ''
  await election.clock.advance(60_000)
  assert.equal(a.isActing, true)
  assert.equal(election.server.stored!.spec.leaseTransitions, 0)
})

test('someone who labels the lease does not end the leadership', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(1000)
  const { stored } = election.server
  election.server.stored = { ...stored!, metadata: { ...stored!.metadata, labels: { x: 'y' }, resourceVersion: '77' } }
  await election.clock.advance(30_000)
  assert.equal(a.isActing, true)
  assert.deepEqual(election.server.stored!.metadata.labels, { x: 'y' })
})

test('a leader whose lease was taken stops at its next renewal', async () => {
  const election = new Election()
  const a = election.start('a')
  await election.clock.advance(1000)
  const { stored } = election.server
  const spec = { ...stored!.spec, holderIdentity: 'z' }
  election.server.stored = { ...stored!, spec, metadata: { ...stored!.metadata, resourceVersion: '77' } }
  await election.clock.advance(2000)
  assert.equal(a.isActing, false)
  assert.equal(election.server.stored.spec.holderIdentity, 'z', 'what is not held is not given up')
})

test('the lease is held until the last work has ended, however long that takes', async () => {
  const election = new Election()
  const a = election.start('a', { endsOnAbort: false })
  await election.clock.advance(0)
  const b = election.start('b')
  a.stop.abort()
  await election.clock.advance(60_000)
  assert.deepEqual([a.isActing, b.isActing], [true, false])
  a.finishWork()
  await election.clock.advance(5000)
  assert.deepEqual([a.outcome, b.isActing], ['ended', true])
  assert.equal(election.actingMax, 1)
})

test('the clock of another machine does not count: a lease expires by what this one has seen', async () => {
  const election = new Election()
  const metadata = { namespace: 'n', name: 'l', uid: 'u', creationTimestamp: '', resourceVersion: '5' }
  const renewTime = '1999-01-01T00:00:00.000000Z'
  election.server.stored = { metadata, spec: { holderIdentity: 'z', leaseDurationSeconds: 15, renewTime } }
  const a = election.start('a')
  await election.clock.advance(14_900)
  assert.equal(a.isActing, false)
  await election.clock.advance(5000)
  assert.equal(a.isActing, true)
  assert.equal(election.server.stored.spec.leaseTransitions, 1)
})

test('of many candidates through lost calls and stops never two act', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const election = new Election()
    const random = new SeededRandom(seed)
    election.server.before = async () => {
      if (random.next() < 0.4) throw new Error('lost on the way')
      if (random.next() < 0.2) await election.clock.sleep(random.next() * 12_000)
    }
    for (let round = 0; round < 30; round++) {
      if (random.next() < 0.5) election.start(`c${round}`)
      const victim = [...election.candidates.values()].find(() => random.next() < 0.1)
      victim?.stop.abort()
      await election.clock.advance(random.next() * 20_000)
    }
    assert.equal(election.actingMax, 1, `seed ${seed}`)
    for (const { stop } of election.candidates.values()) stop.abort()
  }
})
