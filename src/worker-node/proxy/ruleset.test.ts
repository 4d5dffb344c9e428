/** Service rules: what the plan chooses, that the kernel takes the text, and that a change is as good as a fresh table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { planService } from './plan-services.ts'
import { EMPTY_RULESET, renderChange } from './render.ts'
import { buildRuleset } from './ruleset.ts'
import { removedUdpTargets } from './udp-targets.ts'

const meta = (name: string) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})
const here = { nodeName: 'node-1', zone: '' }
const options = { podNetwork: '10.244.0.0/16', isLocalPod: (ip: string) => ip.startsWith('10.244.1.') }

function service(spec: Service['spec']): Service {
  return { metadata: meta('web'), spec: { clusterIP: '10.96.0.20', ports: [{ port: 80, protocol: 'TCP' }], ...spec } }
}

type Where = { ip: string; node: string; ready?: boolean; serving?: boolean }
function slice(endpoints: readonly Where[], port = 8080, protocol = 'TCP'): EndpointSlice {
  return {
    metadata: meta('web-1'),
    addressType: 'IPv4',
    ports: [{ name: '', port, protocol }],
    endpoints: endpoints.map(({ ip, node, ready = true, serving = ready }) => ({
      addresses: [ip],
      nodeName: node,
      conditions: { ready, serving },
    })),
  }
}

const two = slice([
  { ip: '10.244.2.5', node: 'node-2' },
  { ip: '10.244.1.5', node: 'node-1' },
])

test('a ClusterIP is drawn over the ready endpoints, in a stable order', () => {
  const ruleset = buildRuleset(planService(service({}), [two], here), options)
  assert.deepEqual([...ruleset.elements.get('services')!], [['10.96.0.20 . tcp . 80', 'goto pick_inside_slots_2']])
  assert.deepEqual(
    [...ruleset.elements.get('slots')!],
    [
      ['10.96.0.20 . tcp . 80 . 0', '10.244.1.5 . 8080'],
      ['10.96.0.20 . tcp . 80 . 1', '10.244.2.5 . 8080'],
    ],
  )
  assert.deepEqual([...ruleset.elements.get('hairpin')!.keys()], ['10.244.1.5 . 10.244.1.5'])
})

test('without ready endpoints those that still serve are used, and without any the client is refused', () => {
  const terminating = slice([
    { ip: '10.244.1.5', node: 'node-1', ready: false, serving: true },
    { ip: '10.244.1.6', node: 'node-1', ready: false },
  ])
  assert.deepEqual(planService(service({}), [terminating], here)[0]!.internal, [{ ip: '10.244.1.5', port: 8080 }])
  const none = buildRuleset(planService(service({}), [], here), options)
  assert.deepEqual([...none.elements.get('no_endpoints')!.keys()], ['10.96.0.20 . tcp . 80'])
  assert.equal(none.elements.get('services')!.size, 0)
})

test('headless, ExternalName and foreign-proxy Services get no rules', () => {
  assert.deepEqual(planService(service({ clusterIP: 'None' }), [two], here), [])
  assert.deepEqual(planService(service({ type: 'ExternalName' }), [two], here), [])
  const foreign = service({})
  foreign.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'other' }
  assert.deepEqual(planService(foreign, [two], here), [])
})

test('policy Local keeps external clients on this node and drops them where nothing runs', () => {
  const spec = {
    type: 'NodePort',
    externalTrafficPolicy: 'Local',
    ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
  }
  const onNode1 = buildRuleset(planService(service(spec), [two], here), options)
  assert.equal(onNode1.elements.get('node_ports')!.get('tcp . 30080'), 'goto local_node_slots_1_of_2')
  const elsewhere = buildRuleset(planService(service(spec), [two], { nodeName: 'node-3', zone: '' }), options)
  assert.equal(elsewhere.chains.get('local_node_slots_0_of_2')!.at(-1), 'drop')
})

test('a change from one ruleset to another only names what differs', () => {
  const before = buildRuleset(planService(service({}), [two], here), options)
  const after = buildRuleset(planService(service({}), [slice([{ ip: '10.244.1.5', node: 'node-1' }])], here), options)
  assert.equal(renderChange(before, before), '')
  const text = renderChange(before, after)
  assert.match(text, /delete element ip kubets_proxy slots \{ 10\.96\.0\.20 \. tcp \. 80 \. 1 \}/)
  assert.doesNotMatch(text, /10\.244\.1\.5 \. 8080/, 'the slot that stays is not written again')
  assert.match(renderChange(EMPTY_RULESET, before), /add chain ip kubets_proxy pick_inside_slots_2/)
})

test('only UDP endpoints that are gone lose their flows', () => {
  const udp = service({ ports: [{ port: 53, protocol: 'UDP' }] })
  const slices = (ips: string[]) => [
    slice(
      ips.map((ip) => ({ ip, node: 'node-1' })),
      53,
      'UDP',
    ),
  ]
  const old = planService(udp, slices(['10.244.1.5', '10.244.1.6']), here)
  assert.deepEqual(removedUdpTargets(old, planService(udp, slices(['10.244.1.6']), here)), [
    { clusterIp: '10.96.0.20', port: 53, endpointIp: '10.244.1.5' },
  ])
  assert.deepEqual(removedUdpTargets(planService(service({}), [two], here), []), [])
})
