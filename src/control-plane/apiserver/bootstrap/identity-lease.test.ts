/** The name of an API server, and which Leases are of servers that are gone; default flow objects and who owns them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import { apiServerId, isExpired } from './identity-lease.ts'
import { isUnwanted, reviseDefault } from './reconcile-flow-control.ts'

test('an API server is named by its host, as upstream names it', () => {
  assert.equal(apiServerId('vm'), 'apiserver-wlv32tlttr4jl3gtroqexyxapa')
})

test('a Lease that was not renewed for its time is of a server that is gone', () => {
  const lease = (renewTime: string): Lease => ({ spec: { renewTime, leaseDurationSeconds: 3600 } }) as Lease
  const now = Date.parse('2026-01-01T02:00:00Z')
  assert.equal(isExpired(lease('2026-01-01T01:00:01.000000Z'), now), false)
  assert.equal(isExpired(lease('2026-01-01T00:59:59.000000Z'), now), true)
  assert.equal(isExpired({} as Lease, now), true)
})

const KEY = 'apf.kubernetes.io/autoupdate-spec'

const schema = (precedence: number, metadata: object = {}): FlowSchema =>
  ({ metadata: { name: 's', ...metadata }, spec: { matchingPrecedence: precedence } }) as never

test('a default object follows the version until somebody takes it over', () => {
  const expected = schema(1, { annotations: { [KEY]: 'true' } })
  assert.equal(reviseDefault(schema(1, { annotations: { [KEY]: 'true' } }), expected), null)
  assert.equal(reviseDefault(schema(9, { annotations: { [KEY]: 'false' } }), expected), null)
  assert.equal(reviseDefault(schema(9, { annotations: { [KEY]: 'true' } }), expected)?.spec.matchingPrecedence, 1)
  const first = reviseDefault(schema(9, { generation: 1 }), expected)
  assert.deepEqual([first?.spec.matchingPrecedence, first?.metadata.annotations?.[KEY]], [1, 'true'])
  const changed = reviseDefault(schema(9, { generation: 2 }), expected)
  assert.deepEqual([changed?.spec.matchingPrecedence, changed?.metadata.annotations?.[KEY]], [9, 'false'])
  const mandatory = reviseDefault(schema(9, { name: 'catch-all', annotations: { [KEY]: 'false' } }), expected)
  assert.deepEqual([mandatory?.spec.matchingPrecedence, mandatory?.metadata.annotations?.[KEY]], [1, 'true'])
})

test('the shares of the exempt level are its users’', () => {
  const exempt = (shares: number): PriorityLevelConfiguration =>
    ({
      metadata: { name: 'exempt', annotations: { [KEY]: 'true' } },
      spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: shares, lendablePercent: 0 } },
    }) as never
  assert.equal(reviseDefault(exempt(7), exempt(0)), null)
})

test('what another version left goes, unless somebody wants it', () => {
  assert.equal(isUnwanted(schema(1, { annotations: { [KEY]: 'true' } }), new Set()), true)
  assert.equal(isUnwanted(schema(1, { annotations: { [KEY]: 'true' } }), new Set(['s'])), false)
  assert.equal(isUnwanted(schema(1), new Set()), false)
})
