/** Fields of features: kept where the gate is on or the stored object has them, dropped otherwise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DEFAULT_FEATURE_GATES,
  dependenciesOf,
  type FeatureGate,
  resolveFeatureGates,
  type FeatureGates,
} from '#base/feature-gates.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { kindOf } from './kinds.ts'
import { createWith, updateWith } from './testing.ts'

type Case = {
  readonly kind: readonly [group: string, version: string, resource: string]
  /** Where the field is, as a path of names and positions. */
  readonly path: string
  readonly value: unknown
  readonly subresource?: string
}

const POD: Case['kind'] = ['', 'v1', 'pods']
const CONTAINER = 'spec.containers.0'
const SLICE: Case['kind'] = ['resource.k8s.io', 'v1', 'resourceslices']
const CLAIM: Case['kind'] = ['resource.k8s.io', 'v1', 'resourceclaims']
const DEVICE = 'spec.devices.0'
const EXACTLY = 'spec.devices.requests.0.exactly'
const RESULT = 'status.allocation.devices.results.0'

const CASES: Readonly<Record<string, Case>> = {
  AtomicWriteVolumeUserFields: { kind: POD, path: 'spec.volumes.0.secret.defaultUser', value: 5 },
  CSIVolumeHealth: {
    kind: ['storage.k8s.io', 'v1', 'csinodes'],
    path: 'status.storageHealth',
    value: [{ name: 'd' }],
    subresource: 'status',
  },
  ContainerStopSignals: { kind: POD, path: `${CONTAINER}.lifecycle.stopSignal`, value: 'SIGUSR1' },
  CoordinatedLeaderElection: {
    kind: ['coordination.k8s.io', 'v1', 'leases'],
    path: 'spec.strategy',
    value: 'OldestEmulationVersion',
  },
  CrossNamespaceVolumeDataSource: {
    kind: ['', 'v1', 'persistentvolumeclaims'],
    path: 'spec.dataSourceRef',
    value: { kind: 'PersistentVolumeClaim', name: 'c', namespace: 'other' },
  },
  ContainerRestartRules: { kind: POD, path: `${CONTAINER}.restartPolicy`, value: 'Never' },
  DRAConsumableCapacity: { kind: SLICE, path: `${DEVICE}.allowMultipleAllocations`, value: true },
  'DRAConsumableCapacity of capacities': {
    kind: SLICE,
    path: `${DEVICE}.capacity.memory.requestPolicy`,
    value: { default: '1' },
  },
  'DRAConsumableCapacity of claims': { kind: CLAIM, path: `${EXACTLY}.capacity`, value: { requests: { a: '1' } } },
  'DRAConsumableCapacity of templates': {
    kind: ['resource.k8s.io', 'v1', 'resourceclaimtemplates'],
    path: 'spec.spec.devices.constraints.0.distinctAttribute',
    value: 'a.com/b',
  },
  'DRAConsumableCapacity of allocations': { kind: CLAIM, path: `${RESULT}.shareID`, value: 's', subresource: 'status' },
  DRADerivedAttributes: { kind: CLAIM, path: `${EXACTLY}.derivedAttributes`, value: [{ name: 'a', expression: 'b' }] },
  DRADeviceBindingConditions: { kind: SLICE, path: `${DEVICE}.bindingConditions`, value: ['a'] },
  'DRADeviceBindingConditions of allocations': {
    kind: CLAIM,
    path: `${RESULT}.bindingFailureConditions`,
    value: ['a'],
    subresource: 'status',
  },
  DRADeviceCompatibilityGroups: {
    kind: SLICE,
    path: `${DEVICE}.consumesCounters.0.compatibilityGroups`,
    value: ['a'],
  },
  DRADeviceTaints: { kind: SLICE, path: `${DEVICE}.taints`, value: [{ key: 'a', effect: 'NoSchedule' }] },
  'DRADeviceTaints of claims': { kind: CLAIM, path: `${EXACTLY}.tolerations`, value: [{ key: 'a' }] },
  DRAListTypeAttributes: { kind: SLICE, path: `${DEVICE}.attributes.a.strings`, value: ['b'] },
  DRANodeAllocatableResources: { kind: SLICE, path: `${DEVICE}.nodeAllocatableResources`, value: { cpu: {} } },
  DRAOptionalNodeOperations: { kind: SLICE, path: 'spec.skipNodeOperations', value: ['a'] },
  'DRAOptionalNodeOperations of allocations': {
    kind: CLAIM,
    path: `${RESULT}.skipNodeOperations`,
    value: ['a'],
    subresource: 'status',
  },
  DRAPartitionableDevices: { kind: SLICE, path: `${DEVICE}.nodeName`, value: 'a' },
  DRAPartitionableDevicesType: { kind: SLICE, path: 'spec.partitionTypeAttribute', value: 'a' },
  DeploymentReplicaSetTerminatingReplicas: {
    kind: ['apps', 'v1', 'deployments'],
    path: 'status.terminatingReplicas',
    value: 1,
    subresource: 'status',
  },
  EmptyDirVolumeMode: { kind: POD, path: 'spec.volumes.0.emptyDir.mode', value: 0o750 },
  EnvFiles: {
    kind: POD,
    path: `${CONTAINER}.env.0.valueFrom.fileKeyRef`,
    value: { volumeName: 'v', path: 'f', key: 'k', optional: false },
  },
  EvictionRequestAPI: { kind: POD, path: 'spec.evictionResponders', value: [{ name: 'a.com/b' }] },
  GenericWorkload: { kind: POD, path: 'spec.schedulingGroup', value: { podGroupName: 'g' } },
  H2CContainerProbe: { kind: POD, path: `${CONTAINER}.livenessProbe.httpGet.protocol`, value: 'H2C' },
  InPlacePodVerticalScalingSchedulerPreemption: {
    kind: ['', 'v1', 'nodes'],
    path: 'spec.podPreemptionPolicy',
    value: { disableResizePreemption: ['a.com/b'] },
  },
  VolumeLimitScaling: {
    kind: ['storage.k8s.io', 'v1', 'csidrivers'],
    path: 'spec.preventPodSchedulingIfMissing',
    value: true,
  },
  GRPCContainerProbeTLS: { kind: POD, path: `${CONTAINER}.livenessProbe.grpc.mode`, value: 'TLS' },
  InPlacePodLevelResourcesVerticalScaling: {
    kind: POD,
    path: 'status.allocatedResources',
    value: { cpu: '1' },
    subresource: 'status',
  },
  MatchLabelKeysInPodTopologySpread: {
    kind: POD,
    path: 'spec.topologySpreadConstraints.0.matchLabelKeys',
    value: ['k'],
  },
  MaxUnavailableStatefulSet: {
    kind: ['apps', 'v1', 'statefulsets'],
    path: 'spec.updateStrategy.rollingUpdate.maxUnavailable',
    value: 2,
  },
  PodLevelResources: { kind: POD, path: 'spec.resources', value: { requests: { cpu: '1' } } },
  ResourceHealthStatus: {
    kind: POD,
    path: 'status.containerStatuses.0.allocatedResourcesStatus',
    value: [{ name: 'claim:c' }],
    subresource: 'status',
  },
  VolumeBindMountOptions: { kind: POD, path: `${CONTAINER}.volumeMounts.0.bindMountOptions`, value: ['noexec'] },
}

/** The gate, with those that it needs or that need it. */
function gates(name: FeatureGate, value: boolean): FeatureGates {
  const related = new Set<FeatureGate>([name])
  for (const one of related)
    for (const other of DEFAULT_FEATURE_GATES.all().map((gate) => gate.name))
      if (value ? dependenciesOf(one).includes(other) : dependenciesOf(other).includes(one)) related.add(other)
  return resolveFeatureGates(new Map([...related].map((gate) => [gate, value])))
}

/** An object with the field, or with all that is above it alone. */
function objectOf({ path, value }: Case, hasField: boolean): Record<string, unknown> {
  const root: Record<string, unknown> = { metadata: { name: 'x', namespace: 'n' }, spec: {} }
  const names = path.split('.')
  let place: Record<string, unknown> | unknown[] = root
  for (const [i, name] of names.entries()) {
    const next = names[i + 1]
    const fields = place as Record<string, unknown>
    if (next === undefined) {
      if (hasField) fields[name] = structuredClone(value)
    } else place = (fields[name] ??= /^\d+$/.test(next) ? [] : {}) as Record<string, unknown>
  }
  return root
}

function fieldOf(object: KubernetesObject, { path }: Case): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object)
}

for (const [title, it] of Object.entries(CASES)) {
  const gate = title.split(' ')[0] as FeatureGate
  const kind = kindOf(...it.kind)!
  const update = (features: FeatureGates, wasUsed: boolean): unknown => {
    const options = { old: objectOf(it, wasUsed), subresource: it.subresource ?? '', features }
    return fieldOf(updateWith(kind, objectOf(it, true), options).object, it)
  }
  test(`${title}: its fields are kept with it, and without it only where they are in use`, () => {
    assert.partialDeepStrictEqual({ field: update(gates(gate, true), false) }, { field: it.value })
    assert.partialDeepStrictEqual({ field: update(gates(gate, false), true) }, { field: it.value })
    assert.equal(update(gates(gate, false), false), undefined)
    if (it.subresource !== undefined) return
    const create = (isOn: boolean): unknown =>
      fieldOf(createWith(kind, objectOf(it, true), gates(gate, isOn)).object, it)
    assert.partialDeepStrictEqual({ field: create(true) }, { field: it.value })
    assert.equal(create(false), undefined)
  })
}
