/** Values and changes that a feature gate allows or refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FeatureGate, type FeatureGates, resolveFeatureGates } from '#base/feature-gates.ts'
import { kindOf } from './kinds.ts'
import { createWith, updateWith } from './testing.ts'

const gates = (values: Partial<Record<FeatureGate, boolean>>): FeatureGates =>
  resolveFeatureGates(new Map(Object.entries(values)))

const META = { name: 'x', namespace: 'n' }
const CONTAINER = { name: 'c', image: 'i' }

function podErrors(features: FeatureGates, spec: object, annotations = {}): readonly string[] {
  const pod = { metadata: { ...META, annotations }, spec: { containers: [CONTAINER], ...spec } }
  return createWith(kindOf('', 'v1', 'pods')!, pod, features).errors
}

type PodCase = { readonly spec?: object; readonly annotations?: object; readonly error: string }

const restartAll = {
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } }],
}

/** Refused with one value of the gate, taken with the other. */
const POD_CASES: Partial<Record<FeatureGate, PodCase & { readonly refusedWhen: boolean }>> = {
  PodDeletionCost: {
    annotations: { 'controller.kubernetes.io/pod-deletion-cost': 'much' },
    error:
      'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "much": must be a 32bit integer',
    refusedWhen: true,
  },
  RestartAllContainersOnContainerExits: {
    spec: { containers: [{ ...CONTAINER, ...restartAll }] },
    error:
      'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "RestartAllContainers": supported values: "Restart"',
    refusedWhen: false,
  },
  SELinuxMount: {
    spec: { securityContext: { seLinuxChangePolicy: 'MountOption' } },
    error: 'spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"',
    refusedWhen: false,
  },
  TaintTolerationComparisonOperators: {
    spec: { tolerations: [{ key: 'a', operator: 'Gt', value: '1' }] },
    error: 'spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
    refusedWhen: false,
  },
  UserNamespacesHostNetworkSupport: {
    spec: { hostUsers: false, hostNetwork: true },
    error: 'spec.hostNetwork: Forbidden: when `hostUsers` is false',
    refusedWhen: false,
  },
}
for (const [name, { spec = {}, annotations = {}, error, refusedWhen }] of Object.entries(POD_CASES))
  test(`pods and ${name}`, () => {
    assert.deepEqual(podErrors(gates({ [name]: refusedWhen }), spec, annotations), [error])
    assert.deepEqual(podErrors(gates({ [name]: !refusedWhen }), spec, annotations), [])
  })

const SCALER = {
  metadata: META,
  spec: {
    minReplicas: 0,
    maxReplicas: 2,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
    metrics: [{ type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '1' } } }],
  },
}

test('an autoscaler goes to zero with HPAScaleToZero, or where it did before', () => {
  const kind = kindOf('autoscaling', 'v2', 'horizontalpodautoscalers')!
  const [on, off] = [gates({}), gates({ HPAScaleToZero: false })]
  assert.deepEqual(createWith(kind, SCALER, on).errors, [])
  const refused = 'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1'
  assert.deepEqual(createWith(kind, SCALER, off).errors, [refused])
  assert.deepEqual(updateWith(kind, SCALER, { old: SCALER, features: off }).errors, [])
  const old = { ...SCALER, spec: { ...SCALER.spec, minReplicas: 1 } }
  assert.deepEqual(updateWith(kind, SCALER, { old, features: off }).errors, [refused])
})

test('without HPAGeneration the generation is the client’s', () => {
  const kind = kindOf('autoscaling', 'v2', 'horizontalpodautoscalers')!
  const sent = { ...SCALER, metadata: { ...META, generation: 7 } }
  assert.equal(createWith(kind, sent).object.metadata.generation, 1)
  assert.equal(createWith(kind, sent, gates({ HPAGeneration: false })).object.metadata.generation, 7)
})

test('the place of a volume can change with MutablePVNodeAffinity alone', () => {
  const volume = (zone: string): object => ({
    metadata: { name: 'x' },
    spec: {
      capacity: { storage: '1' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/a' },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
      },
    },
  })
  const errors = (features: FeatureGates): readonly string[] =>
    updateWith(kindOf('', 'v1', 'persistentvolumes')!, volume('b'), { old: volume('a'), features }).errors
  assert.deepEqual(errors(gates({ MutablePVNodeAffinity: true })), [])
  assert.match(errors(gates({}))[0]!, /^nodeAffinity: Invalid value: .*field is immutable/)
})

test('probes over HTTP say their protocol with H2CContainerProbe', () => {
  const template = { spec: { containers: [{ ...CONTAINER, livenessProbe: { httpGet: { port: 1 } } }] } }
  const protocol = (features: FeatureGates): unknown => {
    const { object } = createWith(kindOf('', 'v1', 'podtemplates')!, { metadata: META, template }, features)
    return JSON.parse(JSON.stringify(object)).template.spec.containers[0].livenessProbe.httpGet.protocol
  }
  assert.equal(protocol(gates({ H2CContainerProbe: true })), 'HTTP1')
  assert.equal(protocol(gates({})), undefined)
})

test('devices that are gone from a claim take their status with them', () => {
  const device = (name: string): object => ({ driver: 'd', pool: 'p', device: name })
  const claim = (allocated: readonly string[]): object => ({
    metadata: META,
    spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } },
    status: {
      allocation: { devices: { results: allocated.map((name) => ({ request: 'r', ...device(name) })) } },
      devices: [device('a'), device('b')],
    },
  })
  const kind = kindOf('resource.k8s.io', 'v1', 'resourceclaims')!
  const { object } = updateWith(kind, claim(['b']), { old: claim(['a', 'b']), subresource: 'status' })
  assert.partialDeepStrictEqual(object, { status: { devices: [device('b')] } })
  assert.equal((object as unknown as { status: { devices: unknown[] } }).status.devices.length, 1)
})

test('who keeps pods from being evicted on a node is checked with the feature', () => {
  const node = (owners: readonly string[]): object => ({
    metadata: { name: 'x' },
    spec: { podPreemptionPolicy: { disableResizePreemption: owners } },
  })
  const features = gates({ InPlacePodVerticalScalingSchedulerPreemption: true })
  const errors = (owners: readonly string[]): readonly string[] =>
    createWith(kindOf('', 'v1', 'nodes')!, node(owners), features).errors
  assert.deepEqual(errors(['a.com/b']), [])
  assert.deepEqual(errors(['a', 'a']), ['spec.podPreemptionPolicy.disableResizePreemption[1]: Duplicate value: "a"'])
  assert.match(errors(Array.from({ length: 21 }, (_, i) => `a${i}`))[0]!, /Too many: 21: must have at most 20 items/)
})
