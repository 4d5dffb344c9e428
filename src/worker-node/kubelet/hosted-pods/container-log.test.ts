/** The log of a hosted container on a disk that cannot always be written. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Logger } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { ContainerLog } from './container-log.ts'

type Scene = {
  readonly clock: VirtualClock
  readonly folder: string
  readonly path: string
  readonly log: ContainerLog
  readonly warnings: string[]
}

async function start(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'container-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const clock = new VirtualClock()
  const warnings: string[] = []
  const also: Logger = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (message) => void warnings.push(message),
    child: () => also,
  }
  const path = join(folder, 'logs', '0.log')
  return { clock, folder, path, warnings, log: new ContainerLog({ path, clock, also }) }
}

const textsIn = async (path: string): Promise<string[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(4).join(' '))

/** Until what was written is on disk, or was refused. */
async function settle(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (await condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.fail('it never came')
}

test('lines that could not be written are written later, and one warning tells of it', async (t) => {
  const { clock, folder, path, log, warnings } = await start(t)
  log.logger.info('first')
  await settle(() => warnings.length === 1)
  log.logger.info('second')
  await clock.advance(1000)
  await mkdir(join(folder, 'logs'))
  await clock.advance(1000)
  await settle(() =>
    readFile(path).then(
      (bytes) => bytes.length > 100,
      () => false,
    ),
  )
  log.logger.info('third')
  await log.close()
  assert.deepEqual(await textsIn(path), ['first', 'second', 'third'])
  assert.deepEqual(warnings, ['container log could not be written'])
})

test('a log that is closed while it cannot be written gives up', async (t) => {
  const { clock, log, warnings } = await start(t)
  log.logger.info('first')
  await log.close()
  assert.equal(warnings.length, 1)
  assert.equal(clock.nextTimerAt(), null)
})

test('what is too much to keep is counted and told of', async (t) => {
  const { clock, folder, path, log, warnings } = await start(t)
  log.logger.info('first')
  await settle(() => warnings.length === 1)
  for (let line = 0; line < 3; line++) log.logger.info('x'.repeat(400 * 2 ** 10))
  await mkdir(join(folder, 'logs'))
  await clock.advance(1000)
  await settle(() => warnings.length === 2)
  await log.close()
  const texts = await textsIn(path)
  assert.equal(texts.length, 4)
  assert.match(texts.at(-1)!, /lost while it could not be written lines=1$/)
})

test('a rotated log goes on in a new file', async (t) => {
  const { folder, path, log } = await start(t)
  await mkdir(join(folder, 'logs'))
  log.logger.info('old')
  await settle(() =>
    readFile(path).then(
      (bytes) => bytes.length > 0,
      () => false,
    ),
  )
  await rename(path, `${path}.1`)
  log.reopen()
  log.logger.info('new')
  await log.close()
  assert.deepEqual([await textsIn(`${path}.1`), await textsIn(path)], [['old'], ['new']])
})
