/** Long answers: at the pace of the reader, with room for other work in between. */
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { ClientGoneError, write, writeParts } from './output.ts'

/** A clock on which each look takes a millisecond, and which counts how often other work got its turn. */
class BusyClock extends VirtualClock {
  yields = 0
  #looks = 0
  override monotonic(): number {
    return this.#looks++
  }
  override async yield(): Promise<void> {
    this.yields++
  }
}

test('parts are joined, in order, with pauses', async () => {
  const written: Buffer[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  const clock = new BusyClock()
  const parts = Array.from({ length: 10_000 }, (_, index) => Buffer.from(`${String(index).padStart(99, ' ')},`))
  await writeParts(output, parts, clock)
  assert.deepEqual(Buffer.concat(written), Buffer.concat(parts))
  assert.ok(written.length < 20, `${written.length} writes`)
  assert.ok(clock.yields > 1000, `${clock.yields} pauses`)
})

test('a reader that does not read holds the writer back; one that leaves ends it', async () => {
  const pending: (() => void)[] = []
  const output = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => void pending.push(done) })
  let isWritten = false
  const writing = write(output, Buffer.alloc(100)).then(() => (isWritten = true))
  await Promise.resolve()
  assert.equal(isWritten, false)
  pending.shift()!()
  await writing
  const abandoned = write(output, Buffer.alloc(100))
  output.destroy()
  await assert.rejects(abandoned, ClientGoneError)
  await assert.rejects(write(output, Buffer.alloc(1)), ClientGoneError)
})
