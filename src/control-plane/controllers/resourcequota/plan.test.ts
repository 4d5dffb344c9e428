/** What the status of a quota says, and which changes make it say something else. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '#api/core/v1.gen.ts'
import { canReplenish, nextReleaseMs, planStatus, UsageSum } from './plan.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
const PODS = { group: '', resource: 'pods' }
const CLAIMS = { group: '', resource: 'persistentvolumeclaims' }
const SERVICES = { group: '', resource: 'services' }

function quota(hard: Record<string, string>, more: object = {}, status?: ResourceQuota['status']): ResourceQuota {
  return {
    metadata: { name: 'q', namespace: 'n' },
    spec: { hard, ...more },
    ...(status && { status }),
  } as ResourceQuota
}

function pod(spec: object = {}, status: object = {}, metadata: object = {}): Pod {
  const containers = [
    { name: 'c', resources: { requests: { cpu: '500m', 'example.com/gpu': '1' }, limits: { memory: '1Gi' } } },
  ]
  return {
    metadata: { name: 'p', namespace: 'n', ...metadata },
    spec: { containers, ...spec },
    status,
  } as unknown as Pod
}

function used(of: ResourceQuota, kind: { group: string; resource: string }, objects: readonly object[]): object {
  const sum = new UsageSum(of, NOW_MS)
  sum.add(kind, objects as Pod[])
  return sum.total()
}

test('pods: what they ask for; of those that ended only the objects', () => {
  const hard = {
    pods: '5',
    'count/pods': '5',
    cpu: '1',
    'limits.memory': '1Gi',
    'requests.example.com/gpu': '1',
    secrets: '1',
  }
  assert.deepEqual(used(quota(hard), PODS, [pod(), pod(), pod({}, { phase: 'Succeeded' })]), {
    pods: '2',
    'count/pods': '3',
    cpu: '1',
    'limits.memory': '2Gi',
    'requests.example.com/gpu': '2',
  })
  assert.deepEqual(used(quota({ pods: '1' }), PODS, []), { pods: '0' }, 'nought is counted too')
})

test('a pod past its grace period counts no more; one that is resized counts the larger', () => {
  const deleted = (seconds: number): Pod =>
    pod({}, {}, { deletionTimestamp: new Date(NOW_MS - seconds * 1000).toISOString(), deletionGracePeriodSeconds: 30 })
  assert.deepEqual(used(quota({ pods: '5' }), PODS, [deleted(29), deleted(31)]), { pods: '1' })
  assert.equal(nextReleaseMs([pod(), deleted(29), deleted(31)], NOW_MS), 1001)
  assert.equal(nextReleaseMs([deleted(31)], NOW_MS), null)
  const shrinking = pod({}, { containerStatuses: [{ name: 'c', resources: { requests: { cpu: '2' } } }] })
  assert.deepEqual(used(quota({ cpu: '5' }), PODS, [shrinking]), { cpu: '2' })
  const conditions = [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }]
  const refused = pod({}, { conditions, containerStatuses: [{ name: 'c', resources: { requests: { cpu: '100m' } } }] })
  assert.deepEqual(used(quota({ cpu: '5' }), PODS, [refused]), { cpu: '100m' })
})

test('scopes: a quota counts only what it is for', () => {
  const high = pod({ priorityClassName: 'high', activeDeadlineSeconds: 5 })
  const selector = (operator: string, values?: string[]): object => ({
    scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator, values }] },
  })
  const cases: readonly (readonly [object, string])[] = [
    [{ scopes: ['Terminating'] }, '1'],
    [{ scopes: ['NotTerminating'] }, '1'],
    [{ scopes: ['BestEffort'] }, '0'],
    [{ scopes: ['NotBestEffort'] }, '2'],
    [selector('In', ['high']), '1'],
    [selector('NotIn', ['high']), '1'],
    [selector('Exists'), '1'],
    [selector('DoesNotExist'), '1'],
    [{ scopes: ['VolumeAttributesClass'] }, '0'],
  ]
  for (const [more, pods] of cases)
    assert.deepEqual(used(quota({ pods: '9' }, more), PODS, [high, pod()]), { pods }, JSON.stringify(more))
})

test('claims: by class, whole bytes, and what an expansion left allocated', () => {
  const claim = (storage: string, allocated?: string): object => ({
    metadata: { name: 'c' },
    spec: { storageClassName: 'gold', resources: { requests: { storage } } },
    status: allocated === undefined ? {} : { allocatedResources: { storage: allocated } },
  })
  const hard = {
    persistentvolumeclaims: '9',
    'requests.storage': '9Gi',
    'gold.storageclass.storage.k8s.io/requests.storage': '9Gi',
    'lead.storageclass.storage.k8s.io/persistentvolumeclaims': '9',
  }
  assert.deepEqual(used(quota(hard), CLAIMS, [claim('1Gi'), claim('1Gi', '2Gi')]), {
    persistentvolumeclaims: '2',
    'requests.storage': '3Gi',
    'gold.storageclass.storage.k8s.io/requests.storage': '3Gi',
    'lead.storageclass.storage.k8s.io/persistentvolumeclaims': '0',
  })
  assert.deepEqual(used(quota({ 'requests.storage': '9' }), CLAIMS, [claim('1500m')]), { 'requests.storage': '2' })
  const [scopeName, operator] = ['VolumeAttributesClass', 'NotIn']
  const scoped = { scopeSelector: { matchExpressions: [{ scopeName, operator, values: ['old'] }] } }
  const changing = {
    metadata: {},
    spec: { volumeAttributesClassName: 'new' },
    status: { currentVolumeAttributesClassName: 'old' },
  }
  assert.deepEqual(used(quota({ persistentvolumeclaims: '9' }, scoped), CLAIMS, [changing]), {
    persistentvolumeclaims: '1',
  })
})

test('services and any other kind', () => {
  const service = (type: string, more: object = {}): object => ({
    metadata: {},
    spec: { type, ports: [{}, {}], ...more },
  })
  const hard = { services: '9', 'services.nodeports': '9', 'services.loadbalancers': '9', 'count/services': '9' }
  const plain = { allocateLoadBalancerNodePorts: false, ports: [{ nodePort: 30_000 }, {}] }
  assert.deepEqual(
    used(quota(hard), SERVICES, [service('ClusterIP'), service('NodePort'), service('LoadBalancer', plain)]),
    {
      services: '3',
      'services.nodeports': '3',
      'services.loadbalancers': '1',
      'count/services': '3',
    },
  )
  const jobs = { group: 'batch', resource: 'jobs' }
  assert.deepEqual(used(quota({ 'count/jobs.batch': '9' }), jobs, [{ metadata: {} }]), { 'count/jobs.batch': '1' })
  assert.deepEqual(used(quota({ secrets: '9' }), { group: '', resource: 'secrets' }, [{ metadata: {} }]), {
    secrets: '1',
  })
})

test('the status is written when it says something else', () => {
  const hard = { pods: '5', 'requests.cpu': '1' }
  const usage = { pods: '1', 'requests.cpu': '500m' }
  assert.deepEqual(planStatus(quota(hard), usage)?.status, { hard, used: usage })
  const same = { hard: { ...hard, 'requests.cpu': '1000m' }, used: { ...usage, 'requests.cpu': '0.5' } }
  assert.equal(planStatus(quota(hard, {}, same), usage), null, 'the same amounts')
  assert.deepEqual(planStatus(quota({ pods: '5' }, {}, same), usage)?.status, {
    hard: { pods: '5' },
    used: { pods: '1' },
  })
  const kept = { hard: { 'count/a.b': '1' }, used: { 'count/a.b': '7' } }
  assert.equal(planStatus(quota({ 'count/a.b': '1' }, {}, kept), {}), null, 'nobody counts it: the old number stays')
})

test('changes that can make room', () => {
  const changes = (kind: { group: string; resource: string }, object: object, old: object): boolean =>
    canReplenish(kind, object as Pod, old as Pod, NOW_MS)
  assert.equal(changes(PODS, pod({}, { phase: 'Failed' }), pod()), true)
  assert.equal(changes(PODS, pod({}, { phase: 'Running' }), pod()), false)
  assert.equal(changes(PODS, pod({ activeDeadlineSeconds: 1 }), pod()), true)
  const status = (cpu: string): object => ({ containerStatuses: [{ name: 'c', resources: { requests: { cpu } } }] })
  assert.equal(changes(PODS, pod({}, status('1')), pod({}, status('2'))), true)
  const service = (type: string): Service => ({ metadata: {}, spec: { type } }) as Service
  assert.equal(changes(SERVICES, service('ClusterIP'), service('NodePort')), true)
  assert.equal(changes(SERVICES, service('ClusterIP'), service('ExternalName')), false)
  const claim = (name: string): PersistentVolumeClaim =>
    ({ metadata: {}, spec: { volumeAttributesClassName: name } }) as PersistentVolumeClaim
  assert.equal(changes(CLAIMS, claim('a'), claim('b')), true)
  assert.equal(changes(CLAIMS, claim('a'), claim('a')), false)
  assert.equal(changes({ group: 'batch', resource: 'jobs' }, pod(), pod({}, { phase: 'Failed' })), false)
})
