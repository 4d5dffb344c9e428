/** What the kubelet remembers of resources, on files that are damaged and disks that are full. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Logger } from '#base/log.ts'
import { AllocationStore } from './allocation-store.ts'
import { parseAllocations } from './parse-allocations.ts'

const FILE = 'allocated_pods_state'
const cpu = (amount: string) => ({ containers: { main: { requests: { cpu: amount } } } })

async function scratch(t: TestContext): Promise<{ folder: string; warnings: string[]; log: Logger }> {
  const folder = await mkdtemp(join(tmpdir(), 'allocations-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const warnings: string[] = []
  const log: Logger = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (message) => void warnings.push(message),
    child: () => log,
  }
  return { folder, warnings, log }
}

test('what was promised is there for the next run', async (t) => {
  const { folder, warnings, log } = await scratch(t)
  const store = new AllocationStore(folder, FILE, log)
  await store.load()
  store.set('a', cpu('1'))
  store.set('b', cpu('2'))
  store.delete('a')
  await store.flush()
  const next = new AllocationStore(folder, FILE, log)
  await next.load()
  assert.deepEqual([next.get('a'), next.get('b')], [undefined, cpu('2')])
  assert.deepEqual(warnings, [])
})

test('pods with damaged entries are left out, the others are read', () => {
  const damaged = [
    null,
    [],
    'text',
    {},
    { containers: null },
    { containers: { main: null } },
    { containers: { main: { requests: [] } } },
    { containers: { main: { limits: { cpu: 1 } } } },
    { containers: { main: { limits: { cpu: 'much' } } } },
    { containers: {}, pod: null },
  ]
  const entries = damaged.map((entry, index): [string, unknown] => [`bad-${index}`, entry])
  const text = JSON.stringify({ ...Object.fromEntries(entries), good: cpu('100m'), bare: { containers: { main: {} } } })
  const read = parseAllocations(text)
  assert.deepEqual([...read.allocations.keys()], ['good', 'bare'])
  assert.deepEqual(
    read.damaged,
    entries.map(([uid]) => uid),
  )
})

test('a file that is cut off or no file of ours is told of and counts as none', async (t) => {
  for (const text of ['', '{"a":{"contai', 'null', '[]', '"text"', JSON.stringify({ a: null })]) {
    const { folder, warnings, log } = await scratch(t)
    await writeFile(join(folder, FILE), text)
    const store = new AllocationStore(folder, FILE, log)
    await store.load()
    assert.equal(store.get('a'), undefined, text)
    assert.equal(warnings.length, 1, text)
    store.set('b', cpu('1'))
    await store.flush()
    assert.deepEqual(JSON.parse(await readFile(join(folder, FILE), 'utf8')), { b: cpu('1') })
  }
})

test('what could not be written is written when it can be', async (t) => {
  const { folder, warnings, log } = await scratch(t)
  const obstacle = join(folder, `${FILE}.tmp`)
  await mkdir(obstacle)
  const store = new AllocationStore(folder, FILE, log)
  store.set('a', cpu('1'))
  await store.flush()
  assert.deepEqual(warnings, ['remembered resources could not be written'])
  await rmdir(obstacle)
  await store.flush()
  assert.deepEqual(JSON.parse(await readFile(join(folder, FILE), 'utf8')), { a: cpu('1') })
})
