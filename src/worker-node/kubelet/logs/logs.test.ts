/** Reading and rotating container logs. */
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { FakeRuntime } from '../runtime/fake-runtime.ts'
import { readLog, type LogOptions } from './read-log.ts'
import { rotateLog } from './rotate-logs.ts'

const LINES = [
  '2026-01-01T00:00:01.5Z stdout F one\n',
  '2026-01-01T00:00:02.5Z stderr F two\n',
  '2026-01-01T00:00:03.5Z stdout P thr\n',
  '2026-01-01T00:00:03.5Z stdout F ee\n',
]

async function logFile(t: TestContext, text = LINES.join('')): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'logs-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, '0.log'), text)
  return join(folder, '0.log')
}

const ALL: LogOptions = { follow: false, timestamps: false, stream: 'All' }

async function read(path: string, options: Partial<LogOptions>): Promise<string> {
  const source = {
    path,
    clock: new SystemClock(),
    signal: new AbortController().signal,
    isRunning: () => Promise.resolve(false),
  }
  const chunks: Buffer[] = []
  for await (const chunk of readLog(source, { ...ALL, ...options })) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const CASES: readonly [string, Partial<LogOptions>, string][] = [
  ['everything', {}, 'one\ntwo\nthree\n'],
  ['the last lines', { tailLines: 3 }, 'two\nthree\n'],
  ['no line', { tailLines: 0 }, ''],
  ['more lines than there are', { tailLines: 99 }, 'one\ntwo\nthree\n'],
  ['since a time', { sinceMs: Date.parse('2026-01-01T00:00:02Z') }, 'two\nthree\n'],
  ['one stream', { stream: 'Stderr' }, 'two\n'],
  ['a limit of bytes', { limitBytes: 6 }, 'one\ntw'],
  ['with times', { timestamps: true, tailLines: 4, stream: 'Stderr' }, '2026-01-01T00:00:02.5Z two\n'],
]
for (const [name, options, expected] of CASES)
  test(`log: ${name}`, async (t) => {
    assert.equal(await read(await logFile(t), options), expected)
  })

test('a long tail is found across blocks of the file', async (t) => {
  const many = Array.from({ length: 5000 }, (_, index) => `2026-01-01T00:00:01Z stdout F line ${index}\n`)
  const text = await read(await logFile(t, many.join('')), { tailLines: 4000 })
  assert.equal(text.split('\n').length, 4001)
  assert.match(text, /^line 1000\n/)
})

test('a follower sees new lines, also behind a rotation, and ends with the container', async (t) => {
  const path = await logFile(t, '')
  const clock = new VirtualClock()
  let running = true
  const source = { path, clock, signal: new AbortController().signal, isRunning: () => Promise.resolve(running) }
  let seen = ''
  const reading = (async () => {
    for await (const chunk of readLog(source, { ...ALL, follow: true })) seen += chunk.toString()
  })()
  const waitFor = async (text: string): Promise<void> => {
    // Files are read in another thread: how many turns that takes depends on the machine.
    const deadline = Date.now() + 10_000
    while (seen !== text && Date.now() < deadline) {
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(50)
    }
    assert.equal(seen, text)
  }
  await appendFile(path, LINES[0]!)
  await waitFor('one\n')
  await rename(path, `${path}.1`)
  await writeFile(path, LINES[1]!)
  await waitFor('one\ntwo\n')
  running = false
  let ended = false
  void reading.then(() => {
    ended = true
  })
  const deadline = Date.now() + 10_000
  while (!ended && Date.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(50)
  }
  assert.equal(ended, true)
})

test('a full log is put aside, older ones are compressed, the oldest go', async (t) => {
  const path = await logFile(t)
  const runtime = new FakeRuntime({ clock: new VirtualClock() })
  const rotate = (nowMs: number): Promise<boolean> =>
    rotateLog(path, 'c', { runtime, nowMs, bytesMax: 10, filesMax: 3 })
  for (let minute = 0; minute < 4; minute++) {
    await writeFile(path, LINES.join(''))
    assert.equal(await rotate(Date.UTC(2026, 0, 1, 0, minute)), true)
  }
  assert.equal(await rotate(Date.UTC(2026, 0, 1, 1)), false, 'nothing new was written')
  assert.deepEqual((await readdir(join(path, '..'))).sort(), ['0.log.20260101-000200.gz', '0.log.20260101-000300'])
  assert.equal(runtime.calls.length, 4)
})
