/** Requests and limits as the kernel takes them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aContainer, aPod } from '../testing/builders.ts'
import { containerResources, oomScore, podCgroupResources } from './resources.ts'

const GIB = 2 ** 30
const resources = (requests: object, limits: object = {}): object => ({ resources: { requests, limits } })

test('shares, quota and limit of a container', () => {
  const pod = aPod({ containers: [aContainer('main', resources({ cpu: '250m' }, { cpu: '500m', memory: '1Gi' }))] })
  const result = containerResources(pod, pod.spec.containers[0]!, 8 * GIB)
  assert.deepEqual(
    [result.cpuShares, result.cpuQuota, result.cpuPeriod, result.memoryLimitInBytes],
    [256n, 50_000n, 100_000n, BigInt(GIB)],
  )
  const bare = containerResources(aPod(), aContainer(), GIB)
  assert.deepEqual([bare.cpuShares, bare.cpuQuota, bare.memoryLimitInBytes], [2n, undefined, undefined])
  const tiny = containerResources(pod, aContainer('t', resources({}, { cpu: '1m' })), GIB)
  assert.deepEqual([tiny.cpuShares, tiny.cpuQuota], [2n, 1000n])
})

test('who is killed first when memory ends', () => {
  const score = (container: object, more: object = {}): number => {
    const pod = aPod({ containers: [aContainer('main', container)], ...more })
    return oomScore(pod, pod.spec.containers[0]!, 8 * GIB)
  }
  const full = { cpu: '1', memory: '2Gi' }
  assert.equal(score({}), 1000)
  assert.equal(score(resources(full, full)), -997)
  assert.equal(score(resources({ memory: '2Gi' })), 750)
  assert.equal(score(resources({ cpu: '1' })), 999)
  assert.equal(score(resources({ memory: '9Gi' })), 3)
  assert.equal(score({}, { priority: 2_000_001_000 }), -997)
})

test('the group of the pod holds what runs together, and limits only where all have one', () => {
  const pod = aPod({
    initContainers: [
      aContainer('big', resources({ cpu: '3' }, { cpu: '3', memory: '1Gi' })),
      aContainer('side', { restartPolicy: 'Always', ...resources({ cpu: '500m' }, { cpu: '500m', memory: '1Gi' }) }),
    ],
    containers: [
      aContainer('a', resources({ cpu: '1' }, { cpu: '1', memory: '1Gi' })),
      aContainer('b', resources({ cpu: '1' }, { cpu: '1', memory: '1Gi' })),
    ],
  })
  assert.deepEqual(podCgroupResources(pod), { cpuShares: 3072, cpuQuotaUs: 300_000, memoryLimitBytes: 3 * GIB })
  const open = { ...pod, spec: { ...pod.spec, containers: [...pod.spec.containers, aContainer('c')] } }
  assert.deepEqual(podCgroupResources(open), { cpuShares: 3072 })
})
