/** What a durable write costs: the embedded store against bare SQLite with the same settings, in the same run, on the same disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import type { Store } from '#control-plane/store/store.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2)
/** A pod as it is stored. */
const VALUE = Buffer.alloc(4900, 'p')
const root = mkdtempSync(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'kubets-bench-'))

type Rate = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number }

function summarize(latencies: number[], elapsedMs: number): Rate {
  latencies.sort((left, right) => left - right)
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
  return { perSecond: (latencies.length / elapsedMs) * 1000, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** `batch` rows in each transaction: the most that one fsync can carry when as many writers wait for it. */
function bareSqlite(batch: number): Rate {
  const db = new DatabaseSync(join(root, `bare-${batch}.db`))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE')
  db.exec('CREATE TABLE version (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO version VALUES (?, ?, ?)')
  const latencies: number[] = []
  const start = performance.now()
  let revision = 0
  while (performance.now() - start < SECONDS * 1000) {
    const begun = performance.now()
    db.exec('BEGIN')
    for (let row = 0; row < batch; row++) insert.run(++revision, `/registry/pods/default/pod-${revision % 1000}`, VALUE)
    db.exec('COMMIT')
    const took = performance.now() - begun
    for (let row = 0; row < batch; row++) latencies.push(took)
  }
  const rate = summarize(latencies, performance.now() - start)
  db.close()
  return rate
}

type OneWrite = (store: Store, writer: number, round: number) => Promise<void>

async function embedded(writers: number, writeOne: OneWrite): Promise<Rate> {
  const directory = mkdtempSync(join(root, 'store-'))
  const store = await openEmbeddedStore({ directory, clock: new SystemClock(), log: NO_LOG })
  const latencies: number[] = []
  const start = performance.now()
  const run = async (writer: number): Promise<void> => {
    for (let round = 0; performance.now() - start < SECONDS * 1000; round++) {
      const begun = performance.now()
      await writeOne(store, writer, round)
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => run(writer)))
  const rate = summarize(latencies, performance.now() - start)
  await store.close()
  return rate
}

const create: OneWrite = async (store, writer, round) => {
  const result = await store.write(`/registry/pods/default/pod-${writer}-${round}`, {
    expectedRevision: 0,
    value: VALUE,
  })
  if (!result.ok) throw new Error('a new key exists')
}

const revisions = new Map<number, number>()

/** A change of one object of the writer's own, with the revision that the last one gave. */
const swap: OneWrite = async (store, writer, round) => {
  const expectedRevision = round === 0 ? 0 : revisions.get(writer)!
  const result = await store.write(`/registry/pods/default/pod-${writer}`, { expectedRevision, value: VALUE })
  if (!result.ok) throw new Error('lost a compare without a competitor')
  revisions.set(writer, result.revision)
}

/** All writers change one object: each reads, tries, and tries again with what the refusal showed. */
const contend: OneWrite = async (store) => {
  let { entry } = await store.get('/registry/leases/one')
  for (;;) {
    const result = await store.write('/registry/leases/one', {
      expectedRevision: entry?.modRevision ?? 0,
      value: VALUE,
    })
    if (result.ok) return
    entry = result.current
  }
}

function print(title: string, rate: Rate, base?: Rate): void {
  const ratio = base === undefined ? '' : `  ${(rate.perSecond / base.perSecond).toFixed(2)} of bare SQLite`
  const { perSecond, p50Ms, p99Ms } = rate
  const numbers = `${perSecond.toFixed(0).padStart(7)}/s  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`
  console.log(`${title.padEnd(34)}${numbers}${ratio}`)
}

console.log(`durable writes of ${VALUE.length} bytes, ${SECONDS} s each`)
for (const writers of [1, 32, 256]) {
  const base = bareSqlite(writers)
  print(`bare SQLite, ${writers} per transaction`, base)
  print(`store, ${writers} writers create`, await embedded(writers, create), base)
  print(`store, ${writers} writers swap`, await embedded(writers, swap), base)
}
print('store, 32 writers swap one object', await embedded(32, contend))
rmSync(root, { recursive: true })
