/** Tests of which EndpointSlices are written when pods change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { planEndpointSlices, type SliceFacts } from './plan.ts'

const meta = (name: string) => ({
  name,
  namespace: 'default',
  uid: `${name}-uid`,
  resourceVersion: '1',
  creationTimestamp: '',
})

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  metadata: meta('web'),
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.96.0.1',
    ipFamilies: ['IPv4'],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'web' }],
    ...spec,
  },
})

const pod = (number: number, { ready = true, port = 8080 } = {}): Pod => ({
  metadata: meta(`p${number}`),
  spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ name: 'web', containerPort: port, protocol: 'TCP' }] }] },
  status: {
    phase: 'Running',
    podIPs: [{ ip: `10.0.${Math.trunc(number / 250)}.${number % 250}` }],
    podIP: '10.0.0.0',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
})

const pods = (count: number): Pod[] => Array.from({ length: count }, (_, index) => pod(index))

const plan = (facts: Partial<SliceFacts>) =>
  planEndpointSlices({
    service: service(),
    pods: [],
    slices: [],
    nodeOf: (name) => ({ metadata: meta(name), spec: {} }) as Node,
    triggerTime: undefined,
    ...facts,
  })

/** The slices as they are stored after a first plan. */
const stored = (facts: Partial<SliceFacts>): EndpointSlice[] =>
  plan(facts).create.map(
    (slice, index) => ({ ...slice, metadata: { ...meta(`web-${index}`), ...slice.metadata } }) as EndpointSlice,
  )

test('a Service without pods shows one empty slice, and keeps it', () => {
  const slices = stored({})
  assert.deepEqual(
    slices.map(({ endpoints, ports }) => [endpoints, ports]),
    [[[], []]],
  )
  const again = plan({ slices })
  assert.deepEqual([again.create, again.update, again.delete], [[], [], []])
})

test('a slice holds 100 endpoints at most', () => {
  const slices = stored({ pods: pods(250) })
  assert.deepEqual(
    slices.map(({ endpoints }) => endpoints?.length),
    [100, 100, 50],
  )
})

test('one pod that becomes unready changes its own slice only', () => {
  const slices = stored({ pods: pods(150) })
  const changed = plan({ slices, pods: pods(150).with(120, pod(120, { ready: false })) })
  assert.deepEqual(
    changed.update.map(({ metadata }) => metadata.name),
    ['web-1'],
  )
  assert.deepEqual(changed.update[0]!.endpoints![20]!.conditions, { ready: false, serving: false, terminating: false })
})

test('the first pod goes into the empty slice: one update, no create and delete', () => {
  const next = plan({ slices: stored({}), pods: pods(1) })
  assert.deepEqual([next.create.length, next.update.length, next.delete.length], [0, 1, 0])
  assert.deepEqual(next.update[0]!.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
})

test('pods with other numbers behind the same port name get slices of their own', () => {
  const slices = stored({ pods: [pod(1), pod(2, { port: 9090 })] })
  assert.deepEqual(
    slices.map(({ ports }) => ports?.[0]?.port),
    [8080, 9090],
  )
})

test('a pod on an unknown node waits, unless unready addresses are published too', () => {
  const unknown = { pods: pods(1), nodeOf: () => undefined }
  assert.deepEqual(plan(unknown).unknownNodes, ['n1'])
  const published = plan({ ...unknown, service: service({ publishNotReadyAddresses: true }) })
  assert.equal(published.create[0]!.endpoints?.length, 1)
})

test('a terminating pod still serves but is not ready', () => {
  const going = { ...pod(1), metadata: { ...meta('p1'), deletionTimestamp: '2026-01-01T00:00:00Z' } }
  assert.deepEqual(plan({ pods: [going] }).create[0]!.endpoints![0]!.conditions, {
    ready: false,
    serving: true,
    terminating: true,
  })
})

test('headless Services are labelled, and hostnames come from the subdomain', () => {
  const named = { ...pod(1), spec: { ...pod(1).spec, hostname: 'h', subdomain: 'web' } }
  const [slice] = plan({ service: service({ clusterIP: 'None' }), pods: [named] }).create
  assert.equal(slice!.metadata.labels!['service.kubernetes.io/headless'], '')
  assert.equal(slice!.endpoints![0]!.hostname, 'h')
})
