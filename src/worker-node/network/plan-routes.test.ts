/** Routes between nodes: which are needed, and what a change of the nodes leads to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/core/v1.gen.ts'
import { diffRoutes, planRoutes, renderRouteBatch } from './plan-routes.ts'

function node(name: string, podCIDR: string | undefined, address: string | undefined): Node {
  return {
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: podCIDR === undefined ? {} : { podCIDR },
    ...(address === undefined ? {} : { status: { addresses: [{ type: 'InternalIP', address }] } }),
  }
}

test('a node routes to the pods of every other node that has a range and an address', () => {
  const nodes = [
    node('c', '10.244.3.0/24', '172.31.77.13'),
    node('a', '10.244.1.0/24', '172.31.77.11'),
    node('b', undefined, '172.31.77.12'),
    node('d', '10.244.4.0/24', undefined),
  ]
  assert.deepEqual(planRoutes(nodes, 'b'), [
    { cidr: '10.244.1.0/24', via: '172.31.77.11' },
    { cidr: '10.244.3.0/24', via: '172.31.77.13' },
  ])
  assert.deepEqual(planRoutes(nodes, 'a'), [{ cidr: '10.244.3.0/24', via: '172.31.77.13' }])
})

test('a moved node replaces its route, a removed node loses it', () => {
  const [one, two] = [
    { cidr: '10.244.1.0/24', via: '172.31.77.11' },
    { cidr: '10.244.2.0/24', via: '172.31.77.12' },
  ]
  const moved = { cidr: '10.244.1.0/24', via: '172.31.77.21' }
  const change = diffRoutes([one, two], [moved])
  assert.deepEqual(change, { replace: [moved], remove: [two] })
  assert.equal(
    renderRouteBatch(change),
    'route del 10.244.2.0/24 via 172.31.77.12\nroute replace 10.244.1.0/24 via 172.31.77.21\n',
  )
})
