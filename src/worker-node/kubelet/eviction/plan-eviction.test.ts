/** Who has to go when memory or disk run out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, PodSpec } from '#api/core/v1.gen.ts'
import { aContainer, aPod } from '../testing/builders.ts'
import { planEvictions, type NodeLoad, type PodLoad, type PodStorage } from './plan-eviction.ts'

const MIB = 2 ** 20
const calm: NodeLoad = {
  memoryAvailableBytes: 500 * MIB,
  memoryThresholdBytes: 100 * MIB,
  diskAvailablePercent: 50,
  diskThresholdPercent: 10,
  hasImageDisk: false,
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
  return {
    pod,
    memoryBytes: memoryMib * MIB,
    storage: { containers: [], volumeBytes: new Map([['v', disk]]), otherBytes: 0 },
  }
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

/** The message of the eviction, if there is one. */
function verdictOn(
  limits: Record<string, string | null>,
  storage: Partial<PodStorage>,
  more: Partial<PodSpec> = {},
): string | undefined {
  const containers = Object.entries(limits).map(([name, limit]) =>
    aContainer(name, limit === null ? {} : { resources: { limits: { 'ephemeral-storage': limit } } }),
  )
  const pod = aPod({ containers, ...more })
  const whole = { containers: [], volumeBytes: new Map<string, number>(), otherBytes: 0, ...storage }
  const evictions = planEvictions({ ...calm, hasImageDisk: false }, [{ pod, memoryBytes: 0, storage: whole }])
  return evictions[0]?.verdict.message
}

const wrote = (name: string, layerMib: number, logMib = 0): PodStorage['containers'][number] => ({
  name,
  layerBytes: layerMib * MIB,
  logBytes: logMib * MIB,
})

test('all that a pod keeps on disk counts against the limits of its containers together', () => {
  const message = 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. '
  assert.equal(verdictOn({ a: '10Mi' }, { containers: [wrote('a', 10)] }), undefined)
  assert.equal(verdictOn({ a: '10Mi' }, { containers: [wrote('a', 6, 5)] }), message)
  assert.equal(
    verdictOn({ a: '10Mi' }, { containers: [wrote('a', 6)], volumeBytes: new Map([['v', 5 * MIB]]) }),
    message,
  )
  assert.equal(verdictOn({ a: '10Mi' }, { containers: [wrote('a', 10)], otherBytes: 1 }), message)
  assert.equal(verdictOn({ a: '10Mi', b: null }, { containers: [wrote('b', 11)] }), message)
  assert.equal(verdictOn({ a: '4Mi', b: '6Mi' }, { containers: [wrote('a', 4), wrote('b', 7)] }), message)
  assert.equal(verdictOn({ a: null }, { containers: [wrote('a', 1000)] }), undefined)
})

test('a container over its own limit ends its pod, whatever the others have left', () => {
  const message = 'Container a exceeded its local ephemeral storage limit "10Mi". '
  assert.equal(verdictOn({ a: '10Mi', b: '50Mi' }, { containers: [wrote('a', 6, 5), wrote('b', 0)] }), message)
  assert.equal(verdictOn({ a: '0', b: '50Mi' }, { containers: [wrote('a', 20)] }), undefined)
  const sidecar = aContainer('a', { restartPolicy: 'Always', resources: { limits: { 'ephemeral-storage': '10Mi' } } })
  const initContainers = [sidecar]
  assert.equal(verdictOn({ b: '50Mi' }, { containers: [wrote('a', 11)] }, { initContainers }), message)
})

test('layers on the disk of the images count for the pod, not for the container', () => {
  const limits = (limit: string): Partial<Container> => ({ resources: { limits: { 'ephemeral-storage': limit } } })
  const pod = aPod({ containers: [aContainer('a', limits('10Mi')), aContainer('b', limits('50Mi'))] })
  const messageOf = (...containers: PodStorage['containers']): string | undefined => {
    const storage = { containers, volumeBytes: new Map<string, number>(), otherBytes: 0 }
    return planEvictions({ ...calm, hasImageDisk: true }, [{ pod, memoryBytes: 0, storage }])[0]?.verdict.message
  }
  assert.equal(messageOf(wrote('a', 20)), undefined)
  assert.match(messageOf(wrote('a', 20, 11)) ?? '', /^Container a exceeded/)
  assert.match(
    messageOf(wrote('a', 61)) ?? '',
    /^Pod ephemeral local storage usage exceeds the total limit of containers 60Mi/,
  )
})

test('a critical pod stays, and a limit of 0 on a volume is none', () => {
  const over = { containers: [wrote('a', 11)] }
  assert.notEqual(verdictOn({ a: '10Mi' }, over), undefined)
  assert.equal(verdictOn({ a: '10Mi' }, over, { priority: 2_000_001_000 }), undefined)
  assert.deepEqual(planEvictions(calm, [load('a', 1, { disk: MIB, limit: '0' })]), [])
})
