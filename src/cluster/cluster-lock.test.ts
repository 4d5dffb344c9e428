/** Commands on one cluster take turns, also when the one before is killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { withClusterLock } from './cluster-lock.ts'

const clock = new SystemClock({ keepsProcessAlive: true })
const signal = () => Promise.withResolvers<void>()
/** Locks are the machine's: other runs of this test have theirs. */
const own = (name: string): string => `test-${process.pid}-${name}`

test('one after the other, and other clusters meanwhile', async () => {
  const order: string[] = []
  const [begun, waits, otherDone] = [signal(), signal(), signal()]
  const first = withClusterLock({ name: own('one'), clock, waiting: assert.fail }, async () => {
    begun.resolve()
    await Promise.all([waits.promise, otherDone.promise])
    order.push('a ends')
  })
  await begun.promise
  const second = withClusterLock({ name: own('one'), clock, waiting: waits.resolve }, async () => {
    order.push('b works')
  })
  await withClusterLock({ name: own('two'), clock, waiting: assert.fail }, async () => {
    order.push('c works')
  })
  otherDone.resolve()
  await Promise.all([first, second])
  assert.deepEqual(order, ['c works', 'a ends', 'b works'])
})

test('many at once: never two at work, and each has its turn', async () => {
  let [working, done] = [0, 0]
  const turn = (): Promise<void> =>
    withClusterLock({ name: own('many'), clock, waiting: () => {} }, async () => {
      assert.equal(++working, 1)
      await clock.sleep(1)
      working--
      done++
    })
  await Promise.all(Array.from({ length: 10 }, turn))
  assert.equal(done, 10)
})

test('the lock of a killed process is free at once', async () => {
  const module = new URL('cluster-lock.ts', import.meta.url).href
  const clockModule = new URL('../base/clock.ts', import.meta.url).href
  const script = `
    import { withClusterLock } from ${JSON.stringify(module)}
    import { SystemClock } from ${JSON.stringify(clockModule)}
    const clock = new SystemClock({ keepsProcessAlive: true })
    await withClusterLock({ name: ${JSON.stringify(own('k'))}, clock, waiting: () => {} }, async () => {
      console.log('locked')
      await clock.sleep(60_000)
    })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const waits = signal()
  const mine = withClusterLock({ name: own('k'), clock, waiting: waits.resolve }, () => Promise.resolve('mine'))
  assert.equal(await Promise.race([waits.promise, mine]), undefined, 'it waits first')
  child.kill('SIGKILL')
  assert.equal(await mine, 'mine')
})
