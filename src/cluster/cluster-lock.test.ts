/** Commands on one cluster take turns, also when the one before is killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { withClusterLock } from './cluster-lock.ts'

const clock = new SystemClock({ keepsProcessAlive: true })
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-lock-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('one after the other, and other clusters meanwhile', async () => {
  const order: string[] = []
  const run = (name: string, label: string): Promise<void> =>
    withClusterLock({ name, clock, folder, waiting: () => order.push(`${label} waits`) }, async () => {
      order.push(`${label} begins`)
      await clock.sleep(120)
      order.push(`${label} ends`)
    })
  const first = run('one', 'a')
  while (order.length === 0) await clock.sleep(5)
  await Promise.all([first, run('one', 'b'), run('two', 'c')])
  assert.deepEqual(
    order.filter((entry) => !entry.startsWith('c')),
    ['a begins', 'b waits', 'a ends', 'b begins', 'b ends'],
  )
  assert.ok(order.indexOf('c begins') < order.indexOf('a ends'), order.join(', '))
  assert.deepEqual(await readdir(folder), [], 'no file is left')
})

test('the lock of a killed process is free at once', async () => {
  const module = new URL('cluster-lock.ts', import.meta.url).href
  const clockModule = new URL('../base/clock.ts', import.meta.url).href
  const script = `
    import { withClusterLock } from ${JSON.stringify(module)}
    import { SystemClock } from ${JSON.stringify(clockModule)}
    const clock = new SystemClock({ keepsProcessAlive: true })
    await withClusterLock({ name: 'k', clock, folder: ${JSON.stringify(folder)}, waiting: () => {} }, async () => {
      console.log('locked')
      await clock.sleep(60_000)
    })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  let waited = false
  const mine = withClusterLock({ name: 'k', clock, folder, waiting: () => (waited = true) }, () =>
    Promise.resolve('mine'),
  )
  await clock.sleep(100)
  assert.equal(waited, true)
  child.kill('SIGKILL')
  assert.equal(await mine, 'mine')
})
