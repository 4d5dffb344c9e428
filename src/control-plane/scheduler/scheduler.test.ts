/** The whole scheduler over a cluster in memory: preemption, the places it promises, and what becomes of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import { MemoryCluster } from './testing/memory-cluster.ts'
import { withScheduler } from './testing/with-scheduler.ts'
import { buildNode, buildPod } from './testing/builders.ts'

const filling = (name: string, priority: number, cpu = '4'): Pod => buildPod(name, { priority, requests: { cpu } })
const on = (node: string, pod: Pod): Pod => ({ ...pod, spec: { ...pod.spec, nodeName: node } })
const nodeOf = (cluster: MemoryCluster, name: string): string | undefined =>
  cluster.pod(`default/${name}`)?.spec.nodeName
/** A victim that takes its time to end. */
function holdDeletions(cluster: MemoryCluster): void {
  const remove = cluster.remove.bind(cluster)
  cluster.remove = (resource, key) => {
    const pod = cluster.pod(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return remove(resource, key)
    cluster.set(PODS, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  }
}

/** A pod fills the node, a more important one waits, and evicted pods take their time. */
function fullNode(): MemoryCluster {
  const cluster = new MemoryCluster()
  holdDeletions(cluster)
  cluster.set(NODES, buildNode('n'))
  cluster.set(PODS, on('n', filling('low', 0)), filling('high', 10))
  return cluster
}

test('a pod takes the place of one of lower priority, and both are told', async () => {
  const cluster = new MemoryCluster()
  cluster.set(NODES, buildNode('n'))
  cluster.set(PODS, on('n', filling('low', 0)), filling('high', 10))
  await withScheduler(cluster, async ({ events, settle }) => {
    await settle(2000)
    assert.equal(nodeOf(cluster, 'high'), 'n')
    assert.equal(cluster.pod('default/low'), undefined)
    assert.deepEqual(
      events.toSorted(),
      [
        'high FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.',
        'high Scheduled: Successfully assigned default/high to n',
        'low Preempted: Preempted by pod uid-high on node n',
      ].toSorted(),
    )
  })
})

test('the place that is being made free is not given to a pod of lower priority', async () => {
  const cluster = fullNode()
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    assert.equal(cluster.pod('default/high')?.status?.nominatedNodeName, 'n')
    const condition = cluster.pod('default/low')?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
    assert.equal(condition?.reason, 'PreemptionByScheduler')
    cluster.remove(PODS, 'default/low')
    cluster.set(PODS, filling('late', 5))
    await settle(100)
    assert.equal(nodeOf(cluster, 'late'), undefined)
    await settle(3000)
    assert.equal(nodeOf(cluster, 'high'), 'n')
    assert.equal(cluster.pod('default/high')?.status?.nominatedNodeName, undefined)
  })
})

test('while its victims end, a pod takes no others', async () => {
  const cluster = new MemoryCluster()
  holdDeletions(cluster)
  cluster.set(NODES, buildNode('a'), buildNode('b'))
  cluster.set(PODS, on('a', filling('one', 0)), on('b', filling('two', 0)), filling('high', 10))
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    cluster.set(NODES, buildNode('tiny', { allocatable: { cpu: '1' } }))
    cluster.set(PODS, {
      ...cluster.pod('default/high')!,
      metadata: { ...cluster.pod('default/high')!.metadata, labels: { a: 'b' } },
    })
    cluster.set(NODES, buildNode('tiny', { allocatable: { cpu: '4' }, unschedulable: true }))
    await settle(11_000)
    assert.equal(cluster.writes.filter((write) => write.startsWith('delete')).length, 1)
    assert.ok(
      events.some((event) =>
        event.endsWith('preemption: not eligible due to a terminating pod on the nominated node.'),
      ),
      events.join('\n'),
    )
  })
})

test('a pod of higher priority takes the promised place over', async () => {
  const cluster = fullNode()
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    cluster.set(PODS, filling('higher', 20))
    await settle(100)
    assert.equal(cluster.pod('default/high')?.status?.nominatedNodeName, undefined)
    assert.equal(cluster.pod('default/higher')?.status?.nominatedNodeName, 'n')
    cluster.remove(PODS, 'default/low')
    await settle(15_000)
    assert.equal(nodeOf(cluster, 'higher'), 'n')
    assert.equal(nodeOf(cluster, 'high'), undefined)
  })
})

test('a promise ends with its node', async () => {
  const cluster = fullNode()
  await withScheduler(cluster, async ({ settle }) => {
    await settle(100)
    assert.equal(cluster.pod('default/high')?.status?.nominatedNodeName, 'n')
    cluster.remove(NODES, 'n')
    await settle(100)
    assert.equal(cluster.pod('default/high')?.status?.nominatedNodeName, undefined)
  })
})

test('a pod with preemptionPolicy Never waits', async () => {
  const cluster = new MemoryCluster()
  cluster.set(NODES, buildNode('n'))
  const patient = filling('patient', 10)
  cluster.set(PODS, on('n', filling('low', 0)), { ...patient, spec: { ...patient.spec, preemptionPolicy: 'Never' } })
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    assert.deepEqual(events, [
      'patient FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
    ])
  })
})

test('the reasons of preemption are counted like those of the filters', async () => {
  const cluster = new MemoryCluster()
  cluster.set(
    NODES,
    buildNode('full'),
    buildNode('cordoned', { unschedulable: true }),
    buildNode('small', { allocatable: { cpu: '1' } }),
  )
  cluster.set(PODS, on('full', filling('equal', 10)), filling('pod', 10))
  await withScheduler(cluster, async ({ settle, events }) => {
    await settle(100)
    assert.deepEqual(events, [
      'pod FailedScheduling: 0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
    ])
  })
})

test('a pod with resource claims is held back, and told why', async () => {
  const cluster = new MemoryCluster()
  cluster.set(NODES, buildNode('n'))
  const pod = buildPod('claiming', {})
  cluster.set(PODS, { ...pod, spec: { ...pod.spec, resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] } })
  await withScheduler(cluster, async ({ events, settle }) => {
    await settle(2000)
    assert.equal(nodeOf(cluster, 'claiming'), undefined)
    assert.match(events.join('\n'), /FailedScheduling: 0\/1 nodes are available: resource claims are not supported/)
  })
})
