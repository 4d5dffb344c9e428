/** Families print what prom-client's own would. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Histogram, Registry } from 'prom-client'
import { SystemClock } from '#base/clock.ts'
import { writeMetrics } from './exposition.ts'
import { CountFamily, DistributionFamily, exponentialBuckets, addReadFamily } from './families.ts'

test('counters and histograms, beside those of prom-client', async () => {
  const [ours, theirs] = [new Registry(), new Registry()]
  const count = new CountFamily(ours, 'c_total', 'a count').series({ code: '200', verb: 'GET' })
  const counter = new Counter({ name: 'c_total', help: 'a count', labelNames: ['code', 'verb'], registers: [theirs] })
  const distribution = new DistributionFamily(ours, 'd', 'a distribution', [0.1, 1]).series({ verb: 'GET' })
  const buckets = [0.1, 1]
  const histogram = new Histogram({
    name: 'd',
    help: 'a distribution',
    labelNames: ['verb'],
    buckets,
    registers: [theirs],
  })
  for (const value of [0.05, 0.1, 0.5, 7]) {
    count.add()
    counter.inc({ code: '200', verb: 'GET' })
    distribution.observe(value)
    histogram.observe({ verb: 'GET' }, value)
  }
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.replace(/le="([^"]+)",(verb="GET")/, '$2,le="$1"'))
      .toSorted()
  assert.deepEqual(lines(await ours.metrics()), lines(await theirs.metrics()))
})

test('values that are read when they are asked for', async () => {
  const registry = new Registry()
  let size = 1
  addReadFamily(registry, { name: 'size', help: 'a size' }, async () => [{ labels: { of: 'x' }, value: size }])
  size = 5
  assert.match(await registry.metrics(), /^size\{of="x"\} 5$/m)
  assert.deepEqual(exponentialBuckets(1, 2, 4), [1, 2, 4, 8])
})

test('a family of many series is written in slices, and reads the same', async () => {
  const registry = new Registry()
  const many = new CountFamily(registry, 'many_total', 'many')
  for (let i = 0; i < 5001; i++) many.series({ i: String(i) }).add(i)
  addReadFamily(registry, { name: 'none', help: 'none' }, () => [])
  new CountFamily(registry, 'one_total', 'one').series().add()
  assert.equal(await writeMetrics(registry, new SystemClock()), await registry.metrics())
})
