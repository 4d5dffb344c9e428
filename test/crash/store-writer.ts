/** The process that the crash test kills: writes through the embedded store and notes in a file what was acknowledged. */
import { openSync, writeSync } from 'node:fs'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import type { Store } from '#control-plane/store/store.ts'

/** Keys that each writer works on. */
const KEYS_PER_WRITER = 5
const WRITERS = 8

const [directory, notes, seedText] = process.argv.slice(2)
const notesFile = openSync(notes!, 'w')
const seed = Number(seedText)

/** One line per acknowledged write: `key revision value`, `-` for a deletion. Written at once: the process may die any moment. */
function acknowledge(key: string, revision: number, value: string): void {
  writeSync(notesFile, `${key} ${revision} ${value}\n`)
}

async function write(store: Store, writer: number): Promise<never> {
  const random = new SeededRandom(seed + writer)
  for (let round = 0; ; round++) {
    const key = `/crash/${writer}/${Math.floor(random.next() * KEYS_PER_WRITER)}`
    const { entry } = await store.get(key)
    const deletes = entry !== null && random.next() < 0.15
    const text = `${seed}.${writer}.${round}.${'v'.repeat(Math.floor(random.next() ** 4 * 20_000))}`
    const value = deletes ? null : Buffer.from(text)
    const result = await store.write(key, { expectedRevision: entry?.modRevision ?? 0, value })
    if (!result.ok) throw new Error(`lost a compare on its own key ${key}`)
    acknowledge(key, result.revision, deletes ? '-' : text)
  }
}

async function compactNowAndThen(store: Store): Promise<never> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const revision = (await store.currentRevision()) - 200
    if (revision > store.compactedRevision()) await store.compact(revision)
  }
}

const store = await openEmbeddedStore({
  directory: directory!,
  clock: new SystemClock({ keepsProcessAlive: true }),
  log: NO_LOG,
  compacts: false,
})
console.log('open')
await Promise.all([compactNowAndThen(store), ...Array.from({ length: WRITERS }, (_, writer) => write(store, writer))])
