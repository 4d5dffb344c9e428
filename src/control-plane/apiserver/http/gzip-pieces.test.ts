/** A compressed stream of pieces: each can be read when it comes, and all together are one member. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createGunzip, gunzipSync } from 'node:zlib'
import { GzipPieces } from './gzip-pieces.ts'

test('each piece can be read before the next one comes', async () => {
  const pieces = new GzipPieces()
  const reader = createGunzip()
  for (const text of ['{"type":"ADDED"}\n', '{"type":"BOOKMARK"}\n']) {
    reader.write(await pieces.add(Buffer.from(text)))
    assert.equal(String((await once(reader, 'data'))[0]), text)
  }
  reader.end(pieces.end())
  await once(reader, 'end')
})

test('all pieces are one member of a gzip file', async () => {
  const pieces = new GzipPieces()
  const texts = ['a'.repeat(100_000), 'b', 'c'.repeat(70_000)]
  const parts: Buffer[] = []
  for (const text of texts) parts.push(await pieces.add(Buffer.from(text)))
  const whole = Buffer.concat([...parts, pieces.end()])
  assert.equal(gunzipSync(whole).toString(), texts.join(''))
  assert.ok(whole.length < 1000, 'long pieces are compressed')
  // A second member would begin with the magic number again.
  assert.equal(whole.indexOf(Buffer.from([0x1f, 0x8b, 8, 0]), 1), -1)
})

test('each piece ends with an empty block: readers that wait for one have all of it', async () => {
  const pieces = new GzipPieces()
  for (const piece of ['short', 'long '.repeat(10_000)])
    assert.deepEqual([...(await pieces.add(Buffer.from(piece))).subarray(-4)], [0, 0, 0xff, 0xff])
})

test('a stream without a piece is an empty file', () => {
  assert.equal(gunzipSync(new GzipPieces().end()).length, 0)
})
