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

test('who answers an eviction has a name of its own domain and a place in the order', () => {
  const errors = (evictionResponders: readonly object[]): readonly string[] =>
    podErrors(gates({ EvictionRequestAPI: true }), { evictionResponders })
  const path = 'spec.evictionResponders'
  assert.deepEqual(errors([{ name: 'a.com/b', priority: 10_000 }]), [])
  assert.deepEqual(errors([{ name: 'x', priority: -1 }]), [
    `${path}[0].name: Invalid value: "x": must include a prefix (e.g. 'example.com/key')`,
    `${path}[0].priority: Invalid value: -1: must be greater than or equal to 0`,
  ])
  assert.deepEqual(errors([{ name: 'a.k8s.io/b', priority: 999 }]), [
    `${path}[0].name: Invalid value: "a.k8s.io/b": domain names *.k8s.io, *.kubernetes.io are reserved`,
    `${path}[0].priority: Invalid value: 999: priorities 0-999 are reserved for responders with *.k8s.io suffix`,
  ])
  const twice = { name: 'a.com/b', priority: 100_001 }
  assert.deepEqual(errors([{ name: 'a.com/b' }, twice]), [
    `${path}[1]: Duplicate value: {"name":"a.com/b","priority":100001}`,
    `${path}[0].priority: Required value`,
    `${path}[1].priority: Invalid value: 100001: must be less than or equal to 100000`,
  ])
})

test('a StatefulSet recreates its pods with the feature, or where it did before', () => {
  const kind = kindOf('apps', 'v1', 'statefulsets')!
  const set = (type: string): object => ({
    metadata: META,
    spec: {
      serviceName: 's',
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [CONTAINER] } },
      updateStrategy: { type },
    },
  })
  const [on, off] = [gates({ StatefulSetRecreateStrategy: true }), gates({})]
  assert.deepEqual(createWith(kind, set('Recreate'), on).errors, [])
  assert.match(createWith(kind, set('Recreate'), off).errors[0]!, /must be 'RollingUpdate' or 'OnDelete'$/)
  assert.match(createWith(kind, set('X'), on).errors[0]!, /must be 'RollingUpdate', 'OnDelete', or 'Recreate'$/)
  assert.deepEqual(updateWith(kind, set('Recreate'), { old: set('Recreate'), features: off }).errors, [])
})

test('what a driver skips on a node, and what kind its partitions are, is checked', () => {
  const features = gates({
    DRAOptionalNodeOperations: true,
    DRAPartitionableDevicesType: true,
    DRAResourcePoolStatus: true,
  })
  const errors = (spec: object): readonly string[] => {
    const pool = { name: 'p', resourceSliceCount: 1 }
    const slice = { metadata: { name: 'x' }, spec: { driver: 'd', pool, nodeName: 'n', ...spec } }
    return createWith(kindOf('resource.k8s.io', 'v1', 'resourceslices')!, slice, features).errors
  }
  assert.deepEqual(errors({ skipNodeOperations: ['All'] }), [])
  assert.deepEqual(errors({ skipNodeOperations: ['NodePrepareResources'] }), [
    'spec.skipNodeOperations: Invalid value: ["NodePrepareResources"]: NodePrepareResources cannot be skipped unless NodeUnprepareResources is also skipped',
  ])
  const consumesCounters = [{ counterSet: 'c', counters: { x: { value: '1' } } }]
  const typed = (attributes: object): readonly string[] =>
    errors({ partitionTypeAttribute: 'd/kind', devices: [{ name: 'a', consumesCounters, attributes }] })
  assert.deepEqual(typed({ kind: { string: 'half' } }), [])
  assert.match(typed({})[0]!, /^spec\.devices\[0\]\.attributes\[d\/kind\]: Required value: device consumes/)
  assert.match(typed({ kind: { int: 1 } })[0]!, /must be a string value because/)
  assert.deepEqual(errors({ partitionTypeAttribute: 'd/kind' }), [
    'spec.partitionTypeAttribute: Invalid value: "d/kind": may only be set on a slice which declares devices that consume counters',
  ])
})

test('a stored template may hold null for requests that are not there', () => {
  const kind = kindOf('resource.k8s.io', 'v1', 'resourceclaimtemplates')!
  const old = { metadata: META, spec: { spec: { devices: { requests: null, constraints: null } } } }
  const object = structuredClone(old) as never
  assert.doesNotThrow(() => kind.strategy.prepareForUpdate!(object, old as never, { features: gates({}) } as never))
  const off = { features: gates({ DRADeviceTaints: false, DRADeviceTaintRules: false }) } as never
  assert.doesNotThrow(() => kind.strategy.prepareForUpdate!(object, old as never, off))
})
