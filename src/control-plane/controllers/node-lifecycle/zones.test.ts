/** When a zone counts as disrupted, and how fast its nodes are emptied then. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Node } from '#api/core/v1.gen.ts'
import { NODE_LIFECYCLE_DEFAULTS } from './options.ts'
import {
  evictionRateOf,
  isExcludedFromDisruption,
  planDisruption,
  zoneOf,
  zoneStateOf,
  type ZoneState,
} from './zones.ts'

const options = NODE_LIFECYCLE_DEFAULTS

function node(labels: Record<string, string>): Node {
  return { metadata: { name: 'n', labels } } as unknown as Node
}

test('a zone is a region and a zone; the old labels win', () => {
  const [zone, region] = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']
  assert.equal(zoneOf(node({})), '')
  assert.equal(zoneOf(node({ [zone]: 'a' })), ':\0:a')
  assert.equal(zoneOf(node({ [zone]: 'a', [region]: 'r' })), 'r:\0:a')
  assert.equal(zoneOf(node({ [zone]: 'a', 'failure-domain.beta.kubernetes.io/zone': 'b' })), ':\0:b')
})

test('a node can be left out of the count', () => {
  assert.equal(isExcludedFromDisruption(node({ 'node.kubernetes.io/exclude-disruption': '' })), true)
  assert.equal(isExcludedFromDisruption(node({})), false)
})

test('states and rates of zones', () => {
  const cases: readonly (readonly [ready: number, notReady: number, state: ZoneState, rate: number])[] = [
    [0, 0, 'Normal', 0.1],
    [3, 0, 'Normal', 0.1],
    [0, 1, 'FullDisruption', 0.1],
    [1, 2, 'Normal', 0.1], // Two nodes say nothing, whatever their share.
    [3, 3, 'Normal', 0.1],
    [2, 3, 'PartialDisruption', 0],
    [9, 11, 'PartialDisruption', 0], // Just 0.55.
    [22, 28, 'PartialDisruption', 0], // Fifty nodes are a small zone still.
    [22, 29, 'PartialDisruption', 0.01],
    [0, 100, 'FullDisruption', 0.1],
  ]
  for (const [ready, notReady, state, rate] of cases) {
    assert.equal(zoneStateOf({ ready, notReady }, options), state, `${ready} + ${notReady}`)
    assert.equal(evictionRateOf(state, { ready, notReady }, options), rate, `${ready} + ${notReady}`)
  }
})

const DOWN = { ready: 0, notReady: 3 }
const UP = { ready: 3, notReady: 0 }
const HALF = { ready: 1, notReady: 3 }

function plan(known: Record<string, ZoneState>, health: Record<string, { ready: number; notReady: number }>) {
  const { mode, states, rates } = planDisruption(
    new Map(Object.entries(known)),
    new Map(Object.entries(health)),
    options,
  )
  return [mode, Object.fromEntries(states), Object.fromEntries(rates)]
}

test('one zone that is down is emptied at the normal rate while another answers', () => {
  assert.deepEqual(plan({ a: 'Normal', b: 'Normal' }, { a: DOWN, b: UP }), [
    'stay',
    { a: 'FullDisruption', b: 'Normal' },
    { a: 0.1 },
  ])
})

test('evictions of a small zone stop when most of it is down, and go on when it is well', () => {
  assert.deepEqual(plan({ a: 'Normal' }, { a: HALF }), ['stay', { a: 'PartialDisruption' }, { a: 0 }])
  assert.deepEqual(plan({ a: 'PartialDisruption' }, { a: HALF }), ['stay', { a: 'PartialDisruption' }, {}])
  assert.deepEqual(plan({ a: 'PartialDisruption' }, { a: UP }), ['stay', { a: 'Normal' }, { a: 0.1 }])
})

test('when all zones are down all evictions stop, until the first node answers', () => {
  const down = { a: 'FullDisruption', b: 'FullDisruption' } as const
  assert.deepEqual(plan({ a: 'Normal', b: 'FullDisruption' }, { a: DOWN, b: DOWN }), ['enter', down, { a: 0, b: 0 }])
  assert.deepEqual(plan(down, { a: DOWN, b: DOWN }), ['stay', down, {}])
  assert.deepEqual(plan(down, { a: DOWN, b: UP }), ['leave', { a: 'FullDisruption', b: 'Normal' }, { a: 0.1, b: 0.1 }])
})

test('a cluster that is just starting, or has no nodes, is like any other', () => {
  assert.deepEqual(plan({}, {}), ['stay', {}, {}])
  assert.deepEqual(plan({}, { a: DOWN }), ['enter', { a: 'FullDisruption' }, { a: 0 }])
  assert.deepEqual(plan({}, { a: UP }), ['stay', { a: 'Normal' }, { a: 0.1 }])
  assert.deepEqual(plan({ gone: 'Normal' }, { a: DOWN })[0], 'enter', 'a zone without nodes is forgotten')
})
