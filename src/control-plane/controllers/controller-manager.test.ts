/** The runner of controllers on a virtual clock: who works when, what is tried again and what is not. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Logger } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { RestClient } from '#client/rest-client.ts'
import { StatusError, conflict } from '#machinery/status-error.ts'
import { runControllers, selectControllers } from './controller-manager.ts'
import { TerminalError, type ControllerDefinition, type Enqueue, type Result } from './controller.ts'
import { CONTROLLERS } from './index.ts'

const refuse = (): never => assert.fail('no call')

type Reconcile = (key: string, signal: AbortSignal) => Promise<Result>

class Manager {
  readonly clock = new VirtualClock(0)
  readonly stop = new AbortController()
  readonly lines: string[] = []
  readonly synced = Promise.withResolvers<void>()
  readonly running: Promise<void>
  hasEnded = false
  enqueue!: Enqueue

  constructor(reconcile: Reconcile, workers = 1) {
    const definition: ControllerDefinition = {
      name: 'test-controller',
      eventSource: 'test-controller',
      create: () => ({
        name: 'test-controller',
        workers,
        watch: (enqueue) => {
          this.enqueue = enqueue
        },
        reconcile,
      }),
    }
    const line =
      (level: string) =>
      (message: string): void =>
        void this.lines.push(`${level}: ${message}`)
    const log: Logger = {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: () => log,
    }
    this.running = runControllers({
      client: new RestClient({ request: refuse, watch: refuse, close: async () => {} }),
      informers: { informer: () => assert.fail('no informer'), start: () => {}, synced: () => this.synced.promise },
      clock: this.clock,
      random: new SeededRandom(1),
      log,
      events: { recorderOf: () => ({ event: () => {} }) },
      signal: this.stop.signal,
      options: {},
      controllers: [definition],
    }).finally(() => {
      this.hasEnded = true
    })
  }

  async start(): Promise<void> {
    this.synced.resolve()
    await this.clock.advance(0)
  }
}

test('nothing is worked on before all informers are synced', async () => {
  const worked: string[] = []
  const manager = new Manager(async (key) => {
    worked.push(key)
    return {}
  })
  manager.enqueue('a')
  await manager.clock.advance(1000)
  assert.deepEqual(worked, [])
  await manager.start()
  assert.deepEqual(worked, ['a'])
})

test('a key is never worked on twice at a time, other keys are', async () => {
  const current = new Map<string, number>()
  let together = 0
  let worked = 0
  const manager: Manager = new Manager(async (key) => {
    assert.equal(current.get(key) ?? 0, 0, `${key} is worked on already`)
    current.set(key, 1)
    together = Math.max(together, [...current.values()].filter((count) => count > 0).length)
    await manager.clock.sleep(100)
    current.set(key, 0)
    worked++
    return {}
  }, 3)
  await manager.start()
  for (const key of ['a', 'a', 'b', 'c']) manager.enqueue(key)
  await manager.clock.advance(50)
  manager.enqueue('a')
  manager.enqueue('a')
  await manager.clock.advance(1000)
  assert.equal(together, 3)
  assert.equal(worked, 4, 'what came while a key was worked on is worked on once more')
})

test('a failure is tried again after 5 ms, 10 ms, 20 ms, …, and success starts over', async () => {
  const at: number[] = []
  const manager: Manager = new Manager(async () => {
    at.push(manager.clock.now())
    if (at.length < 5) throw new Error('not yet')
    return {}
  })
  await manager.start()
  manager.enqueue('a')
  await manager.clock.advance(10_000)
  assert.deepEqual(at, [0, 5, 15, 35, 75])
  assert.equal(manager.lines.filter((line) => line === 'warn: reconcile failed').length, 4)
})

test('a lost race is tried again without alarm', async () => {
  let calls = 0
  const manager = new Manager(async () => {
    if (++calls === 1) throw conflict({ group: '', resource: 'pods' }, 'p', 'changed')
    return {}
  })
  await manager.start()
  manager.enqueue('a')
  await manager.clock.advance(1000)
  assert.equal(calls, 2)
  assert.deepEqual(manager.lines, ['debug: reconcile lost a race'])
})

test('a terminal error and a namespace that ends are not tried again before the next change', async () => {
  const causes = [
    { reason: 'NamespaceTerminating', message: 'namespace n is being terminated', field: 'metadata.namespace' },
  ]
  const terminating = new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: 'pods "p" is forbidden',
    details: { causes },
  })
  for (const error of [new TerminalError('hopeless'), terminating]) {
    let calls = 0
    const manager = new Manager(async () => {
      calls++
      throw error
    })
    await manager.start()
    manager.enqueue('a')
    await manager.clock.advance(100_000)
    assert.equal(calls, 1)
    manager.enqueue('a')
    await manager.clock.advance(100_000)
    assert.equal(calls, 2)
    assert.equal(manager.lines.includes('warn: reconcile failed'), false)
  }
})

test('a key comes back after the time its controller asks for', async () => {
  const at: number[] = []
  const manager: Manager = new Manager(async () => {
    at.push(manager.clock.now())
    return at.length < 3 ? { requeueAfterMs: 1000 } : {}
  })
  await manager.start()
  manager.enqueue('a', 500)
  await manager.clock.advance(10_000)
  assert.deepEqual(at, [500, 1500, 2500])
})

test('it ends when every worker has finished its key, and starts none after', async () => {
  const release = Promise.withResolvers<void>()
  const worked: string[] = []
  const manager = new Manager(async (key) => {
    worked.push(key)
    await release.promise
    return {}
  })
  await manager.start()
  manager.enqueue('a')
  manager.enqueue('b')
  await manager.clock.advance(0)
  manager.stop.abort(new Error('stop'))
  await manager.clock.advance(1000)
  assert.equal(manager.hasEnded, false)
  release.resolve()
  await manager.running
  assert.deepEqual(worked, ['a'])
  assert.equal(manager.clock.nextTimerAt(), null)
})

test('controllers are chosen as --controllers does, and unknown or doubled names are refused', () => {
  const named = (names: readonly string[]): string[] => selectControllers(CONTROLLERS, names).map(({ name }) => name)
  assert.equal(named(['*']).length, CONTROLLERS.length)
  assert.deepEqual(named(['job-controller']), ['job-controller'])
  assert.equal(named(['*', '-job-controller']).includes('job-controller'), false)
  assert.throws(() => named(['job']), /"job" is not in the list of known controllers/)
  assert.throws(() => selectControllers([...CONTROLLERS, CONTROLLERS[0]!], ['*']), /is defined twice/)
})
