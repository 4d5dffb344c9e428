/** Tests of what an Endpoints object says of pods, and of its limit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoints, Pod, Service } from '#api/core/v1.gen.ts'
import { planEndpoints } from './plan.ts'
import { truncateSubsets } from './truncate.ts'

const meta = (name: string) => ({
  name,
  namespace: 'default',
  uid: `${name}-uid`,
  resourceVersion: '1',
  creationTimestamp: '',
})
const service: Service = {
  metadata: meta('web'),
  spec: {
    clusterIP: '10.96.0.1',
    ipFamilies: ['IPv4'],
    selector: { a: 'b' },
    ports: [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'more', port: 81, targetPort: 8081 },
    ],
  },
}
const pod = (number: number, ready = true): Pod => ({
  metadata: meta(`p${number}`),
  spec: { nodeName: 'n1', containers: [] },
  status: {
    phase: 'Running',
    podIPs: [{ ip: `10.0.0.${number}` }],
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
})

test('ready and unready pods share a subset with all ports', () => {
  const wanted = planEndpoints(service, [pod(2), pod(1), pod(3, false)], undefined, undefined)!
  assert.equal(wanted.subsets?.length, 1)
  const [subset] = wanted.subsets!
  assert.deepEqual(
    subset!.addresses!.map(({ ip }) => ip),
    ['10.0.0.1', '10.0.0.2'],
  )
  assert.deepEqual(
    subset!.notReadyAddresses!.map(({ ip }) => ip),
    ['10.0.0.3'],
  )
  assert.deepEqual(
    subset!.ports!.map(({ port }) => port),
    [8080, 8081],
  )
})

test('an object that says it all already is not written again', () => {
  const wanted = planEndpoints(service, [pod(1)], undefined, undefined)!
  const current = { ...wanted, metadata: { ...meta('web'), ...wanted.metadata } } as Endpoints
  assert.equal(planEndpoints(service, [pod(1)], current, '2026-01-01T00:00:00Z'), null)
  assert.notEqual(planEndpoints(service, [pod(1, false)], current, undefined), null)
})

test('more than 1000 addresses are cut: ready ones stay', () => {
  const addresses = Array.from({ length: 900 }, (_, index) => ({ ip: `a${index}` }))
  const { subsets, isTruncated } = truncateSubsets([{ addresses, notReadyAddresses: addresses }])
  assert.equal(isTruncated, true)
  assert.deepEqual([subsets[0]!.addresses!.length, subsets[0]!.notReadyAddresses!.length], [900, 100])
})
