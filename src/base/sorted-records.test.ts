/** Sorted records against a plain sorted array, under random operations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SortedRecords, compareKeys } from './sorted-records.ts'

const byBytes = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right))

test('keys compare as their UTF-8 bytes', () => {
  const wellFormed = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(wellFormed, wellFormed, (left, right) => {
      assert.equal(Math.sign(compareKeys(left, right)), byBytes(left, right))
    }),
  )
})

test('behaves as a sorted array', () => {
  const key = fc.integer({ min: 0, max: 2000 }).map((number) => `k${number}`)
  const operation = fc.record({ key, value: fc.nat(), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 4000, size: 'max' }), key, key, (operations, start, end) => {
      const model = new Map<string, number>()
      const records = new SortedRecords<{ key: string; value: number }>()
      for (const { key: at, value, remove } of operations) {
        if (remove) {
          model.delete(at)
          records.delete(at)
        } else {
          model.set(at, value)
          records.set({ key: at, value })
        }
      }
      const wanted = [...model.keys()].filter((at) => byBytes(at, start) >= 0 && byBytes(at, end) < 0).sort(byBytes)
      const walked: string[] = []
      records.walk(start, end, (record) => {
        assert.equal(record.value, model.get(record.key))
        assert.equal(records.get(record.key), record)
        walked.push(record.key)
      })
      assert.deepEqual(walked, wanted)
      assert.equal(records.count(start, end), wanted.length)
      assert.equal(records.size, model.size)
    }),
    { numRuns: 30 },
  )
})

test('stops walking when told to', () => {
  const records = new SortedRecords<{ key: string }>()
  for (let number = 0; number < 2000; number++) records.set({ key: String(number).padStart(5, '0') })
  const walked: string[] = []
  records.walk('00600', '01999', ({ key }) => walked.push(key) < 3)
  assert.deepEqual(walked, ['00600', '00601', '00602'])
})
