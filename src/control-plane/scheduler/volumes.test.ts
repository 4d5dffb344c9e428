/** Pods with claims: where they may go, what is bound for them, and what they wait for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import {
  CSIDRIVERS,
  CSINODES,
  CSISTORAGECAPACITIES,
  NODES,
  PERSISTENTVOLUMECLAIMS,
  PERSISTENTVOLUMES,
  PODS,
  STORAGECLASSES,
} from '#api/resources.gen.ts'
import { notFound } from '#machinery/status-error.ts'
import { MemoryCluster } from './testing/memory-cluster.ts'
import { withScheduler } from './testing/with-scheduler.ts'
import { buildNode, buildPod } from './testing/builders.ts'

const HOSTNAME = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'
const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' }
const meta = (name: string) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})

const host = (name: string, labels: Record<string, string> = {}): Node =>
  buildNode(name, { labels: { [HOSTNAME]: name, ...labels } })

function claim(
  name: string,
  spec: Partial<PersistentVolumeClaim['spec']> = {},
  annotations = {},
): PersistentVolumeClaim {
  return {
    metadata: { ...meta(name), namespace: 'default', annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'local',
      ...spec,
    },
  }
}

function volume(name: string, node: string | null, spec: Partial<PersistentVolume['spec']> = {}): PersistentVolume {
  const term = { matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [node ?? ''] }] }
  return {
    metadata: meta(name),
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: 'local',
      ...(node === null ? {} : { nodeAffinity: { required: { nodeSelectorTerms: [term] } } }),
      ...spec,
    },
    status: { phase: 'Available' },
  }
}

function withClaim(name: string, ...claims: string[]): Pod {
  const volumes = claims.map((claimName, index) => ({ name: `v${index}`, persistentVolumeClaim: { claimName } }))
  return buildPod(name, { volumes })
}

function clusterOf(bindingMode: string, provisioner = 'kubernetes.io/no-provisioner', ...nodes: Node[]): MemoryCluster {
  const cluster = new MemoryCluster()
  cluster.set(STORAGECLASSES, { metadata: meta('local'), provisioner, volumeBindingMode: bindingMode })
  cluster.set(NODES, ...(nodes.length > 0 ? nodes : [host('a'), host('b')]))
  return cluster
}

const nodeOf = (cluster: MemoryCluster, name = 'p'): string | undefined => cluster.pod(`default/${name}`)?.spec.nodeName
const ref = (name: string) => ({ kind: 'PersistentVolumeClaim', namespace: 'default', name, uid: `uid-${name}` })

/** As the volume controller does: binds each claim to the volume that refers to it. */
function bindReserved(cluster: MemoryCluster): void {
  for (const { metadata, spec } of cluster.informer(PERSISTENTVOLUMES).list()) {
    const found = cluster.informer(PERSISTENTVOLUMECLAIMS).get(`default/${spec.claimRef?.name}`)
    if (found === undefined) continue
    cluster.set(PERSISTENTVOLUMECLAIMS, {
      ...found,
      metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...BOUND } },
      spec: { ...found.spec, volumeName: metadata.name },
    })
  }
}

/** The message of a pod that is not placed. */
async function refusal(cluster: MemoryCluster, pod: Pod = withClaim('p', 'c')): Promise<string> {
  cluster.set(PODS, pod)
  let message = ''
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    const condition = cluster.pod(`default/${pod.metadata.name}`)?.status?.conditions?.[0]
    message = `${condition?.reason}: ${condition?.message}`
  })
  return message
}

const NO_PREEMPTION = (count: number): string =>
  ` preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`

test('a pod waits for a claim that does not exist, and goes on when it does', async () => {
  const cluster = clusterOf('Immediate')
  cluster.set(PODS, withClaim('p', 'c'))
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    assert.deepEqual(events, [
      `p FailedScheduling: 0/2 nodes are available: persistentvolumeclaim "c" not found.${NO_PREEMPTION(2)}`,
    ])
    cluster.set(PERSISTENTVOLUMES, volume('v', 'b'))
    cluster.set(PERSISTENTVOLUMECLAIMS, claim('c', { volumeName: 'v' }, BOUND))
    await settle(2000)
    assert.equal(nodeOf(cluster), 'b')
  })
})

test('a claim that binds at once must be bound', async () => {
  const cluster = clusterOf('Immediate')
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
  const expected = `Unschedulable: 0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.${NO_PREEMPTION(2)}`
  assert.equal(await refusal(cluster), expected)
})

test('a claim that is being deleted or has lost its volume is of no use', async () => {
  const cluster = clusterOf('Immediate')
  const doomed = claim('c')
  cluster.set(PERSISTENTVOLUMECLAIMS, {
    ...doomed,
    metadata: { ...doomed.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  })
  assert.match(await refusal(cluster), /persistentvolumeclaim "c" is being deleted\./)
  cluster.set(PERSISTENTVOLUMECLAIMS, { ...claim('c', { volumeName: 'v' }), status: { phase: 'Lost' } })
  assert.match(await refusal(cluster), /persistentvolumeclaim "c" bound to non-existent persistentvolume "v"\./)
})

test('a bound volume draws the pod to where it is reachable', async () => {
  const cluster = clusterOf('Immediate', undefined, host('a'))
  cluster.set(PERSISTENTVOLUMES, volume('v', 'b'))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c', { volumeName: 'v' }, BOUND))
  assert.match(await refusal(cluster), /1 node\(s\) had volume node affinity conflict\./)
})

test('a volume in a zone keeps its pod there', async () => {
  const cluster = clusterOf('Immediate', undefined, host('a', { [ZONE]: 'z1' }), host('b', { [ZONE]: 'z2' }))
  const zoned = volume('v', null)
  cluster.set(PERSISTENTVOLUMES, { ...zoned, metadata: { ...zoned.metadata, labels: { [ZONE]: 'z2__z3' } } })
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c', { volumeName: 'v' }, BOUND))
  cluster.set(PODS, withClaim('p', 'c'))
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    assert.equal(nodeOf(cluster), 'b')
  })
  cluster.remove(NODES, 'b')
  assert.match(await refusal(cluster, withClaim('q', 'c')), /1 node\(s\) had no available volume zone\./)
})

test('for a claim that waits for its pod, a node with a free volume is chosen and the volume bound first', async () => {
  const cluster = clusterOf('WaitForFirstConsumer')
  cluster.set(PERSISTENTVOLUMES, volume('large', 'b', { capacity: { storage: '9Gi' } }), volume('fits', 'b'))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
  cluster.set(PODS, withClaim('p', 'c'))
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    assert.equal(nodeOf(cluster), undefined)
    assert.equal(cluster.pod('default/p')?.status?.nominatedNodeName, 'b')
    const fits = cluster.informer(PERSISTENTVOLUMES).get('fits')!
    assert.equal(fits.spec.claimRef?.uid, 'uid-c')
    assert.equal(fits.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes')
    bindReserved(cluster)
    await settle(100)
    assert.equal(nodeOf(cluster), 'b')
  })
})

test('a volume that is gone when it is to be bound sends the pod back, and another one takes its place', async () => {
  const cluster = clusterOf('WaitForFirstConsumer')
  cluster.set(PERSISTENTVOLUMES, volume('fits', 'b'))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
  cluster.set(PODS, withClaim('p', 'c'))
  const { update } = cluster.calls
  cluster.calls.update = (resource) => {
    cluster.calls.update = update
    cluster.remove(PERSISTENTVOLUMES, 'fits')
    return Promise.reject(notFound(resource, 'fits'))
  }
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    assert.ok(
      events.some((event) => event.startsWith('p FailedScheduling')),
      events.join(),
    )
    cluster.set(PERSISTENTVOLUMES, volume('other', 'b'))
    await settle(15_000)
    bindReserved(cluster)
    await settle(15_000)
    assert.equal(nodeOf(cluster), 'b')
  })
})

test('two pods do not get the same volume', async () => {
  const cluster = clusterOf('WaitForFirstConsumer')
  cluster.set(PERSISTENTVOLUMES, volume('v', 'a'))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'), claim('d'))
  // The API server answers late: only the scheduler knows that the volume is taken.
  const { update } = cluster.calls
  const answer = Promise.withResolvers<void>()
  cluster.calls.update = async (resource, object) => {
    await answer.promise
    return update(resource, object)
  }
  cluster.set(PODS, withClaim('p', 'c'), withClaim('q', 'd'))
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    assert.match(
      events.join('\n'),
      /^q FailedScheduling: .*2 node\(s\) didn't find available persistent volumes to bind\./,
    )
    answer.resolve()
    await settle(1)
    bindReserved(cluster)
    await settle(100)
    assert.deepEqual([nodeOf(cluster, 'p'), nodeOf(cluster, 'q')], ['a', undefined])
  })
})

test('without a volume, a provisioner is told the node', async () => {
  const cluster = clusterOf('WaitForFirstConsumer', 'example.com/disk')
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
  const pod = withClaim('p', 'c')
  cluster.set(PODS, { ...pod, spec: { ...pod.spec, nodeSelector: { [HOSTNAME]: 'b' } } })
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    const chosen = cluster.informer(PERSISTENTVOLUMECLAIMS).get('default/c')!
    assert.equal(chosen.metadata.annotations?.['volume.kubernetes.io/selected-node'], 'b')
    cluster.set(PERSISTENTVOLUMES, volume('made', 'b', { claimRef: ref('c') }))
    bindReserved(cluster)
    await settle(100)
    assert.equal(nodeOf(cluster), 'b')
  })
})

test('a provisioner that gives up sends the pod back', async () => {
  const cluster = clusterOf('WaitForFirstConsumer', 'example.com/disk')
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
  cluster.set(PODS, withClaim('p', 'c'))
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
    await settle(100)
    assert.deepEqual(events, ['p FailedScheduling: binding volumes: provisioning failed for PVC "c"'])
    const status = cluster.pod('default/p')?.status
    assert.deepEqual([status?.conditions?.[0]?.reason, status?.nominatedNodeName], ['SchedulerError', undefined])
    await settle(2000)
    assert.equal(cluster.writes.filter((write) => write === 'update c').length, 2)
  })
})

test('a driver that reports its capacity is not asked for more', async () => {
  const cluster = clusterOf('WaitForFirstConsumer', 'example.com/disk')
  cluster.set(CSIDRIVERS, { metadata: meta('example.com/disk'), spec: { storageCapacity: true } })
  const capacity = (node: string, size: string) => ({
    metadata: { ...meta(`on-${node}`), namespace: 'default' },
    storageClassName: 'local',
    nodeTopology: { matchLabels: { [HOSTNAME]: node } },
    capacity: size,
  })
  cluster.set(CSISTORAGECAPACITIES, capacity('a', '100Mi'))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c'))
  assert.match(await refusal(cluster), /2 node\(s\) did not have enough free storage\./)
  cluster.set(CSISTORAGECAPACITIES, capacity('b', '10Gi'))
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    const chosen = cluster.informer(PERSISTENTVOLUMECLAIMS).get('default/c')!
    assert.equal(chosen.metadata.annotations?.['volume.kubernetes.io/selected-node'], 'b')
  })
})

test('a ReadWriteOncePod claim serves one pod, and a more important one takes it over', async () => {
  const cluster = clusterOf('Immediate')
  cluster.set(PERSISTENTVOLUMES, volume('v', null))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c', { volumeName: 'v', accessModes: ['ReadWriteOncePod'] }, BOUND))
  const first = withClaim('first', 'c')
  cluster.set(PODS, { ...first, spec: { ...first.spec, nodeName: 'a' } })
  assert.match(
    await refusal(cluster),
    /2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode\./,
  )
  cluster.remove(PODS, 'default/p')
  const urgent = withClaim('urgent', 'c')
  cluster.set(PODS, { ...urgent, spec: { ...urgent.spec, priority: 10 } })
  await withScheduler(cluster, async ({ settle }) => {
    await settle(3000)
    assert.equal(cluster.pod('default/first'), undefined)
    assert.equal(nodeOf(cluster, 'urgent'), 'a')
  })
})

test('a node takes as many volumes as its driver can attach', async () => {
  const cluster = clusterOf('Immediate', undefined, host('a'))
  cluster.set(CSINODES, {
    metadata: meta('a'),
    spec: { drivers: [{ name: 'd', nodeID: 'a', allocatable: { count: 1 } }] },
  })
  for (const name of ['v', 'w'])
    cluster.set(PERSISTENTVOLUMES, volume(name, null, { csi: { driver: 'd', volumeHandle: name } }))
  cluster.set(PERSISTENTVOLUMECLAIMS, claim('c', { volumeName: 'v' }, BOUND), claim('d', { volumeName: 'w' }, BOUND))
  const first = withClaim('first', 'c')
  cluster.set(PODS, { ...first, spec: { ...first.spec, nodeName: 'a' } })
  assert.match(await refusal(cluster, withClaim('p', 'd')), /1 node\(s\) exceed max volume count\./)
  cluster.set(PODS, withClaim('shares', 'c'))
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    assert.equal(nodeOf(cluster, 'shares'), 'a')
  })
})
