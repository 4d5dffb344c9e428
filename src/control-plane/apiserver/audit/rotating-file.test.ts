/** The file of the audit log: full ones get another name, and nothing that happens to the file loses later events. */
import assert from 'node:assert/strict'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { RotatingFile, type RotationOptions } from './rotating-file.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'audit-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function optionsFor(clock: VirtualClock, options: Partial<RotationOptions> = {}): RotationOptions {
  const path = join(folder, 'a.log')
  return { path, clock, log: NO_LOG, maxBytes: 10, maxBackups: 0, maxAgeMs: 0, compress: false, ...options }
}

test('a full file is renamed, compressed, and removed when there are too many or it is old', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
  const options = optionsFor(clock, { maxBackups: 2, maxAgeMs: 60_000, compress: true })
  const file = new RotatingFile(options)
  for (const text of ['first 11 b\n', 'second\n', 'third\n']) {
    file.write(text)
    await clock.advance(1000)
  }
  await file.close()
  const listed = readdirSync(folder).toSorted()
  assert.deepEqual(listed, ['a-2026-01-02T03-04-06.678.log.gz', 'a-2026-01-02T03-04-07.678.log.gz', 'a.log'])
  assert.equal(gunzipSync(readFileSync(join(folder, listed[0]!))).toString(), 'first 11 b\n')
  assert.equal(readFileSync(options.path, 'utf8'), 'third\n')
  await clock.advance(60_000)
  await new RotatingFile(options).close()
  assert.deepEqual(readdirSync(folder), ['a.log'])
})

test('what an earlier process left uncompressed is compressed; half of a compressed file is written anew', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2))
  const file = new RotatingFile(optionsFor(clock))
  file.write('first 11 b\n')
  file.write('second\n')
  await file.close()
  const backup = readdirSync(folder).find((name) => name !== 'a.log')!
  closeSync(openSync(join(folder, `${backup}.gz`), 'w'))
  await new RotatingFile(optionsFor(clock, { compress: true })).close()
  assert.deepEqual(readdirSync(folder).toSorted(), [`${backup}.gz`, 'a.log'])
  assert.equal(gunzipSync(readFileSync(join(folder, `${backup}.gz`))).toString(), 'first 11 b\n')
})

test('a full file that somebody else has moved away is followed by a new one', async () => {
  const options = optionsFor(new VirtualClock())
  const file = new RotatingFile(options)
  file.write('first 11 b\n')
  renameSync(options.path, join(folder, 'moved'))
  file.write('second\n')
  await file.close()
  assert.equal(readFileSync(options.path, 'utf8'), 'second\n')
  assert.equal(readFileSync(join(folder, 'moved'), 'utf8'), 'first 11 b\n')
})

test('a failed change of files keeps the open one, touches none of others, and is tried again', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2))
  const options = optionsFor(clock)
  const file = new RotatingFile(options)
  file.write('first 11 b\n')
  // The place of the backup is taken by a folder: the file cannot get its name.
  const backup = join(folder, 'a-2026-01-02T00-00-00.000.log')
  mkdirSync(join(backup, 'full'), { recursive: true })
  assert.throws(() => file.write('second\n'))
  const other = openSync(join(folder, 'other'), 'w')
  assert.throws(() => file.write('second\n'))
  writeSync(other, 'mine')
  closeSync(other)
  assert.equal(readFileSync(join(folder, 'other'), 'utf8'), 'mine')
  await clock.advance(1)
  file.write('second\n')
  await file.close()
  assert.equal(readFileSync(options.path, 'utf8'), 'second\n')
  assert.equal(readFileSync(join(folder, 'a-2026-01-02T00-00-00.001.log'), 'utf8'), 'first 11 b\n')
})
