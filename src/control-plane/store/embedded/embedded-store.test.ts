/** The embedded store passes the suite of all stores, keeps everything over a restart, and refuses folders that it cannot use. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { prefixEnd, StoreUnusableError, type Store } from '../store.ts'
import { collect } from '../testing/suite-tools.ts'
import { storeSuite } from '../testing/suite.ts'
import { COMPACTION_PERIOD_MS } from './compactor.ts'
import { openEmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.ts'

const clock = new VirtualClock()
const root = mkdtempSync(join(tmpdir(), 'kubets-store-'))
after(() => rmSync(root, { recursive: true }))
let folders = 0
const newFolder = (): string => join(root, String(folders++))

const open = (directory: string, options: Partial<EmbeddedStoreOptions> = {}): Promise<Store> =>
  openEmbeddedStore({ directory, clock, log: NO_LOG, ...options })

const bytes = (text: string): Buffer => Buffer.from(text)

async function put(store: Store, key: string, value: string | Buffer, lease = 0): Promise<number> {
  const { entry } = await store.get(key)
  const expectedRevision = entry?.modRevision ?? 0
  const result = await store.write(key, { expectedRevision, value: Buffer.from(value), lease })
  assert.ok(result.ok)
  return result.revision
}

storeSuite({ name: 'embedded', open: () => open(newFolder()), advance: (ms) => clock.advance(ms) })

test('everything is there after a restart', async () => {
  const directory = newFolder()
  let store = await open(directory)
  const lease = await store.grantLease(100)
  await put(store, '/a/1', 'one')
  await put(store, '/a/1', 'two')
  await put(store, '/a/2', 'bound', lease)
  await store.write('/a/1', { expectedRevision: 3, value: null })
  await put(store, '/b/1', 'other')
  await store.compact(3)
  await store.close()

  store = await open(directory)
  assert.deepEqual([await store.currentRevision(), store.compactedRevision()], [6, 3])
  assert.equal((await store.get('/a/1')).entry, null)
  assert.equal((await store.get('/a/1', 3)).entry?.value.toString(), 'two')
  const { entries } = await store.range({ start: '/a/', end: prefixEnd('/b/') })
  assert.deepEqual(
    entries.map((entry) => [entry.key, entry.value.toString(), entry.modRevision, entry.createRevision, entry.lease]),
    [
      ['/a/2', 'bound', 4, 4, lease],
      ['/b/1', 'other', 6, 6, 0],
    ],
  )
  const watch = collect(store, 4)
  await watch.until(() => watch.events.length === 2)
  assert.deepEqual(
    watch.events.map((event) => [event.type, event.key, event.previous?.value.toString()]),
    [
      ['put', '/a/2', undefined],
      ['delete', '/a/1', 'two'],
    ],
  )
  assert.notEqual(await store.grantLease(5), lease)
  await clock.advance(101_000)
  await watch.until(() => watch.events.length === 3)
  assert.equal((await store.get('/a/2')).entry, null)
  await store.close()
})

test('an old value is read from disk, for reads, events and answers', async () => {
  const store = await open(newFolder())
  const large = Buffer.alloc(1 << 20, 'x')
  const first = await put(store, '/a/1', 'old')
  for (let number = 0; number < 40; number++) await put(store, `/large/${number}`, large)
  assert.equal((await store.get('/a/1')).entry?.value.toString(), 'old')
  const refused = await store.write('/a/1', { expectedRevision: 0, value: bytes('no') })
  assert.equal(refused.ok ? null : refused.current?.value.toString(), 'old')
  const watch = collect(store, first)
  await put(store, '/a/1', 'new')
  await watch.until(() => watch.events.length === 2)
  assert.deepEqual(
    watch.events.map((event) => [event.entry.value.toString(), event.previous?.value.toString()]),
    [
      ['old', undefined],
      ['new', 'old'],
    ],
  )
  const { entries } = await store.range({ start: '/large/', end: prefixEnd('/large/') })
  assert.ok(entries.length === 40 && entries.every((entry) => entry.value.equals(large)))
  await store.close()
})

test('values that leave memory while they are needed are still right', async () => {
  const store = await open(newFolder())
  const large = Buffer.alloc(1 << 20, 'x')
  const first = await put(store, '/a/1', 'old')
  await put(store, '/a/2', 'small')
  for (let number = 0; number < 15; number++) await put(store, `/large/${number}`, large)
  // One batch: its first writes push the old value out of memory before its last write needs it.
  const writes = [0, 1, 2, 3, 4, 5, 6].map((number) =>
    store.write(`/more/${number}`, { expectedRevision: 0, value: large }),
  )
  const watch = collect(store, 0)
  const update = store.write('/a/1', { expectedRevision: first, value: bytes('new') })
  const refused = store.write('/a/2', { expectedRevision: 0, value: bytes('no') })
  const listed = store.range({ start: '/a/', end: '/z' })
  await Promise.all([...writes, update])
  const result = await refused
  assert.equal(result.ok ? null : result.current?.value.toString(), 'small')
  await watch.until(() => watch.events.length > 0)
  assert.equal(watch.events[0]!.previous?.value.toString(), 'old')
  for (const entry of (await listed).entries) assert.ok(entry.value.length > 0, entry.key)
  await store.close()
})

test('history goes after the compaction period, and its space is used again', async () => {
  const store = await open(newFolder())
  const value = Buffer.alloc(20_000, 'v')
  let size = 0
  for (let period = 0; period < 6; period++) {
    for (let round = 0; round < 200; round++) await put(store, `/a/${round % 10}`, value)
    await clock.advance(COMPACTION_PERIOD_MS)
    // A compaction runs beside other work; asking for another one waits for it.
    await store.compact(store.compactedRevision() + 1).catch(() => {})
    if (period === 2) size = await store.sizeBytes()
  }
  assert.ok(store.compactedRevision() > 900, `compacted ${store.compactedRevision()}`)
  const end = await store.sizeBytes()
  assert.ok(end < size * 1.3, `${size} bytes after three periods, ${end} after six`)
  await store.close()
})

test('the files are private', async () => {
  const directory = newFolder()
  const store = await open(directory)
  await put(store, '/a/1', 'secret')
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  for (const file of ['store.db', 'store.db-wal', 'store.pid']) {
    assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file)
  }
  await store.close()
})

async function refuses(directory: string, message: RegExp): Promise<void> {
  await assert.rejects(open(directory), (error: Error) => {
    assert.ok(error instanceof StoreUnusableError, String(error))
    assert.match(error.message, message)
    return true
  })
}

async function filled(): Promise<string> {
  const directory = newFolder()
  const store = await open(directory)
  for (let number = 0; number < 200; number++) await put(store, `/a/${number}`, Buffer.alloc(1000, String(number)))
  await store.close()
  return directory
}

test('refuses a folder that is in use, and says by whom', async () => {
  const directory = newFolder()
  const store = await open(directory)
  await refuses(directory, new RegExp(`in use by process ${process.pid}: stop that one first`))
  await put(store, '/a/1', 'still works')
  await store.close()
  await (await open(directory)).close()
})

test('refuses data of a newer version, and leaves it as it is', async () => {
  const directory = await filled()
  const file = join(directory, 'store.db')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA user_version = 2')
  db.close()
  const before = readFileSync(file)
  await refuses(directory, /newer version \(format 2, this one knows 1\): use that version/)
  assert.ok(readFileSync(file).equals(before))
})

test('refuses the database of another program', async () => {
  const directory = await filled()
  rmSync(join(directory, 'store.db'))
  const db = new DatabaseSync(join(directory, 'store.db'))
  db.exec('CREATE TABLE version (x)')
  db.close()
  await refuses(directory, /is not a store of this program/)
})

const CORRUPTIONS: { title: string; spoil: (file: string) => void }[] = [
  {
    title: 'other text',
    spoil: (file) => writeFileSync(file, 'not a database, but long enough to look at'.repeat(200)),
  },
  { title: 'a file cut short', spoil: (file) => truncateSync(file, 20_000) },
  { title: 'a hole of zeroes', spoil: (file) => overwrite(file, 4096, Buffer.alloc(8192)) },
  {
    title: 'an empty file beside its log',
    spoil: (file) => (truncateSync(file, 0), appendFileSync(`${file}-wal`, 'log')),
  },
]

for (const { title, spoil } of CORRUPTIONS) {
  test(`refuses a corrupt store: ${title}`, async () => {
    const directory = await filled()
    spoil(join(directory, 'store.db'))
    await refuses(directory, /is corrupt \(.*\): restore a backup of the folder, or move it away/)
  })
}

function overwrite(file: string, at: number, patch: Buffer): void {
  const content = readFileSync(file)
  patch.copy(content, at)
  writeFileSync(file, content)
}

test('a value that changed on disk is not handed out', async () => {
  const directory = await filled()
  const file = join(directory, 'store.db')
  const content = readFileSync(file)
  const at = content.indexOf(Buffer.from('150'.repeat(200)))
  assert.ok(at > 0)
  overwrite(file, at, bytes('151'))
  const store = await open(directory)
  await assert.rejects(store.get('/a/150'), /corrupt \(the value of revision 152 has changed on disk\)/)
  await assert.rejects(store.write('/a/150', { expectedRevision: 152, value: null }), /has changed on disk/)
  assert.equal(await put(store, '/a/78', 'new'), 202)
  await store.close()
})

test('a folder that cannot be made is named', async () => {
  const file = newFolder()
  writeFileSync(file, '')
  await refuses(join(file, 'sub'), /Cannot use the data folder .*sub: ENOTDIR/)
})

const VALUE = Buffer.alloc(50_000, 'f')

/** Fills the store until a write is refused, and checks that the refusal changed nothing. */
async function fillUp(store: Store): Promise<string[]> {
  const accepted: string[] = []
  let refused: Error | null = null
  for (let number = 0; refused === null && number < 500; number++) {
    const key = `/a/${String(number).padStart(4, '0')}`
    await put(store, key, VALUE).then(
      () => accepted.push(key),
      (error: Error) => (refused = error),
    )
  }
  assert.match(String(refused), /StoreUnusableError: .* no space left, nothing was written: free space on its disk/)
  const revision = await store.currentRevision()
  await assert.rejects(Promise.all([1, 2, 3].map((number) => put(store, `/b/${number}`, VALUE))), StoreUnusableError)
  const { entries } = await store.range({ start: '/a/', end: '/c/' })
  assert.deepEqual(
    entries.map((entry) => entry.key),
    accepted,
  )
  assert.deepEqual([await store.currentRevision(), revision], [accepted.length + 1, accepted.length + 1])
  return accepted
}

test('a store at its limit refuses writes whole, and goes on once history is forgotten', async () => {
  const directory = newFolder()
  const store = await open(directory, { sizeBytesMax: 2 << 20 })
  const accepted = await fillUp(store)
  for (const key of accepted.slice(0, 10)) await removeKey(store, key)
  await store.compact(await store.currentRevision())
  for (let number = 0; number < 5; number++) await put(store, `/b/${number}`, VALUE)
  await store.close()
  const reopened = await open(directory, { sizeBytesMax: 2 << 20 })
  assert.equal((await reopened.range({ start: '/', end: '0' })).count, accepted.length - 5)
  await reopened.close()
})

async function removeKey(store: Store, key: string): Promise<void> {
  const { entry } = await store.get(key)
  assert.ok((await store.write(key, { expectedRevision: entry!.modRevision, value: null })).ok)
}

/** A disk of its own, so small that it fills up. */
function mountSmallDisk(directory: string): boolean {
  try {
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('a full disk refuses writes whole, and the store goes on when space is back', async (context) => {
  const disk = newFolder()
  if (!mountSmallDisk(disk)) return context.skip('mounting a small disk needs root')
  try {
    writeFileSync(join(disk, 'other'), Buffer.alloc(1 << 20))
    const store = await open(join(disk, 'store'))
    const accepted = await fillUp(store)
    rmSync(join(disk, 'other'))
    for (let number = 0; number < 5; number++) await put(store, `/b/${number}`, VALUE)
    await store.close()
    const reopened = await open(join(disk, 'store'))
    assert.equal((await reopened.range({ start: '/', end: '0' })).count, accepted.length + 5)
    await reopened.close()
  } finally {
    execFileSync('umount', [disk])
  }
})
