/** Who has to go when memory or disk run out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aContainer, aPod } from '../testing/builders.ts'
import { planEvictions, type NodeLoad, type PodLoad } from './plan-eviction.ts'

const MIB = 2 ** 20
const calm: NodeLoad = {
  memoryAvailableBytes: 500 * MIB,
  memoryThresholdBytes: 100 * MIB,
  diskAvailablePercent: 50,
  diskThresholdPercent: 10,
}

function load(
  name: string,
  memoryMib: number,
  more: { requestMib?: number; priority?: number; disk?: number; limit?: string } = {},
): PodLoad {
  const { requestMib = 0, priority = 0, disk = 0, limit } = more
  const resources = { requests: { memory: `${requestMib}Mi` } }
  const emptyDir = limit === undefined ? {} : { sizeLimit: limit }
  const pod = aPod(
    { containers: [aContainer('main', { resources })], priority, volumes: [{ name: 'v', emptyDir }] },
    name,
  )
  return { pod, memoryBytes: memoryMib * MIB, emptyDirBytes: new Map([['v', disk]]) }
}

const names = (node: Partial<NodeLoad>, ...pods: PodLoad[]): string[] =>
  planEvictions({ ...calm, ...node }, pods).map(({ pod }) => pod.metadata.name)

test('nobody goes from a node that is well', () => {
  assert.deepEqual(names({}, load('a', 100)), [])
})

test('memory: above the request first, then the least important, then the greediest', () => {
  const low = { memoryAvailableBytes: 50 * MIB }
  assert.deepEqual(names(low, load('within', 100, { requestMib: 200 }), load('above', 20, { requestMib: 10 })), [
    'above',
  ])
  assert.deepEqual(names(low, load('vip', 100, { priority: 10 }), load('plain', 20)), ['plain'])
  assert.deepEqual(names(low, load('small', 10), load('big', 100)), ['big'])
  assert.deepEqual(names(low, load('critical', 100, { priority: 2_000_001_000 })), [])
})

test('disk: the one whose volumes hold most', () => {
  assert.deepEqual(names({ diskAvailablePercent: 5 }, load('a', 1, { disk: 10 }), load('b', 1, { disk: 20 })), ['b'])
})

test('a volume over its own limit ends its pod on any node', () => {
  const [eviction] = planEvictions(calm, [
    load('a', 1, { disk: 3 * MIB, limit: '1Mi' }),
    load('b', 1, { disk: 1, limit: '1Mi' }),
  ])
  assert.equal(eviction?.pod.metadata.name, 'a')
  assert.equal(eviction?.verdict.message, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ')
})
