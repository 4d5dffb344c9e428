/**
 * What the store acknowledged is there after any crash: a writing process is killed at random moments, and the log is cut at any byte.
 * `CRASH_SECONDS=600 CRASH_SEED=7 node --test test/crash/store.test.ts` for more.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { databaseFile, walFile } from '#control-plane/store/embedded/data-folder.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import { prefixEnd, type Store, type StoreEvent } from '#control-plane/store/store.ts'

const SECONDS = Number(process.env['CRASH_SECONDS'] ?? 7)
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
const KILL_MS_MAX = 250

console.log(`# seed ${SEED}: CRASH_SEED=${SEED} repeats the choices of this run`)

const root = mkdtempSync(join(tmpdir(), 'kubets-crash-'))
after(() => rmSync(root, { recursive: true }))
const random = new SeededRandom(SEED)

const open = (directory: string): Promise<Store> =>
  openEmbeddedStore({ directory, clock: new SystemClock(), log: NO_LOG, compacts: false })

/** What the store must show: the newest acknowledged state of each key, and all acknowledged writes. */
class Acknowledged {
  readonly newest = new Map<string, { revision: number; value: string }>()
  readonly all = new Map<number, { key: string; value: string }>()
  revision = 1

  add(line: string): void {
    const [key, revisionText, value] = line.split(' ') as [string, string, string]
    const revision = Number(revisionText)
    assert.ok(!this.all.has(revision), `revision ${revision} was given twice`)
    this.all.set(revision, { key, value })
    this.newest.set(key, { revision, value })
    this.revision = Math.max(this.revision, revision)
  }

  /** Revisions above what was acknowledged may exist: written, but the process died before it said so. */
  learn(events: readonly StoreEvent[]): void {
    for (const { type, key, entry } of events) {
      const value = type === 'delete' ? '-' : entry.value.toString()
      const known = this.all.get(entry.modRevision)
      if (known !== undefined) assert.deepEqual({ key, value }, known)
      else
        assert.ok(entry.modRevision > this.revision, `revision ${entry.modRevision} appeared below an acknowledged one`)
    }
    for (const { type, key, entry } of events) {
      if (this.all.has(entry.modRevision)) continue
      this.add(`${key} ${entry.modRevision} ${type === 'delete' ? '-' : entry.value.toString()}`)
    }
  }
}

/** All events from `revision` to now. */
function eventsSince(store: Store, revision: number, upTo: number): Promise<StoreEvent[]> {
  return new Promise((resolve, reject) => {
    const seen: StoreEvent[] = []
    const watch = store.watch({
      start: '/crash/',
      end: prefixEnd('/crash/'),
      revision,
      onEvents: (events, reported) => {
        seen.push(...events)
        if (reported < upTo) return
        watch.cancel()
        resolve(seen)
      },
      onError: reject,
    })
    watch.requestProgress()
  })
}

async function check(store: Store, acknowledged: Acknowledged, seenBefore: number): Promise<void> {
  const current = await store.currentRevision()
  assert.ok(current >= acknowledged.revision, `revision went back from ${acknowledged.revision} to ${current}`)
  const start = Math.max(2, seenBefore + 1, store.compactedRevision())
  const events = await eventsSince(store, start, current)
  assert.deepEqual(
    events.map((event) => event.entry.modRevision),
    Array.from({ length: current - start + 1 }, (_, index) => start + index),
    'a resumed watch has gaps',
  )
  acknowledged.learn(events)
  const { entries } = await store.range({ start: '/crash/', end: prefixEnd('/crash/') })
  const wanted = [...acknowledged.newest]
    .filter(([, { value }]) => value !== '-')
    .map(([key, { revision, value }]) => `${key} ${revision} ${value}`)
  assert.deepEqual(
    entries.map((entry) => `${entry.key} ${entry.modRevision} ${entry.value.toString()}`),
    wanted.sort(),
  )
}

/** Lets the writer run for a while and kills it; returns what it acknowledged, line by line. */
async function writeAndKill(directory: string, seed: number): Promise<string[]> {
  const notes = join(root, 'notes')
  const script = join(import.meta.dirname, 'store-writer.ts')
  const writer = spawn(process.execPath, [script, directory, notes, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  writer.stdout.once('data', () => setTimeout(() => writer.kill('SIGKILL'), random.next() * KILL_MS_MAX))
  const signal = await new Promise((resolve) => writer.on('close', (_code, by) => resolve(by)))
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself')
  // The last line has no end when the kill came in the middle of it.
  return readFileSync(notes, 'utf8').split('\n').slice(0, -1)
}

test('a process that is killed at any moment loses nothing that it acknowledged', async (context) => {
  const directory = join(root, 'killed')
  const acknowledged = new Acknowledged()
  const end = performance.now() + SECONDS * 1000
  let rounds = 0
  for (; rounds < 3 || performance.now() < end; rounds++) {
    const seenBefore = acknowledged.revision
    for (const line of await writeAndKill(directory, SEED + rounds * 100)) acknowledged.add(line)
    const store = await open(directory)
    await check(store, acknowledged, seenBefore)
    await store.close()
  }
  context.diagnostic(`${rounds} kills, ${acknowledged.all.size} writes`)
  assert.ok(acknowledged.all.size > 100, 'the writer hardly wrote')
})

type Mark = { readonly logBytes: number; readonly line: string }

/** Writes one after the other, and notes how long the log was when each was acknowledged. */
async function writeWithMarks(directory: string): Promise<Mark[]> {
  const store = await open(directory)
  const marks: Mark[] = []
  for (let number = 0; number < 60; number++) {
    const key = `/crash/${number % 7}`
    const { entry } = await store.get(key)
    const value = `${number}.${'v'.repeat(Math.floor(random.next() ** 3 * 15_000))}`
    const result = await store.write(key, { expectedRevision: entry?.modRevision ?? 0, value: Buffer.from(value) })
    marks.push({ logBytes: statSync(walFile(directory)).size, line: `${key} ${result.revision} ${value}` })
  }
  const copy = join(root, 'power', 'whole')
  mkdirSync(copy, { recursive: true })
  copyFileSync(databaseFile(directory), databaseFile(copy))
  copyFileSync(walFile(directory), walFile(copy))
  await store.close()
  return marks
}

test('a log that ends at any byte holds all that was acknowledged before it', async (context) => {
  const marks = await writeWithMarks(join(root, 'power', 'live'))
  const whole = join(root, 'power', 'whole')
  const logBytes = statSync(walFile(whole)).size
  const end = performance.now() + Math.max(2, SECONDS / 3) * 1000
  let cuts = 0
  for (; cuts < 10 || performance.now() < end; cuts++) {
    // Some cuts just around the end of a write, the others anywhere behind the first one.
    const mark = marks[Math.floor(random.next() * marks.length)]!
    const cut =
      cuts % 3 === 0
        ? mark.logBytes + Math.floor(random.next() * 5) - 2
        : marks[0]!.logBytes + Math.floor(random.next() * (logBytes - marks[0]!.logBytes))
    const directory = join(root, 'power', `cut-${cuts}`)
    mkdirSync(directory)
    copyFileSync(databaseFile(whole), databaseFile(directory))
    copyFileSync(walFile(whole), walFile(directory))
    truncateSync(walFile(directory), Math.min(cut, logBytes))
    const acknowledged = new Acknowledged()
    for (const { logBytes: at, line } of marks) if (at <= cut) acknowledged.add(line)
    const store = await open(directory)
    await check(store, acknowledged, 1)
    const result = await store.write('/crash/after', { expectedRevision: 0, value: Buffer.from('x') })
    assert.ok(result.ok && result.revision > acknowledged.revision)
    await store.close()
    rmSync(directory, { recursive: true })
  }
  context.diagnostic(`${cuts} cuts`)
})
