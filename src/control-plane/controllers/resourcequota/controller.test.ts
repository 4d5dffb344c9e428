/** What is counted while not all kinds are known. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ResourceQuota } from '#api/core/v1.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { ControllerContext } from '../controller.ts'
import { ResourceQuotaController } from './controller.ts'

const VERBS = ['create', 'list', 'watch', 'delete']
const QUOTA = {
  metadata: { name: 'q', namespace: 'n' },
  spec: { hard: { pods: '5', 'count/things.example.com': '5' } },
  status: { hard: {}, used: { 'count/things.example.com': '3' } },
}

function pathsOf(path: string): object {
  if (path === '/apis') return { groups: [{ name: 'example.com', preferredVersion: { version: 'v1' } }] }
  const name = path === '/api/v1' ? 'pods' : 'things'
  return { resources: [{ name, kind: name, namespaced: true, verbs: VERBS }] }
}

test('a kind that cannot be listed keeps its old number, and the others are counted', async () => {
  const written: ResourceQuota[] = []
  const informer = ({ resource }: ResourceRef): object => ({
    addHandler: () => {},
    get: () => QUOTA,
    list: () => (resource === 'resourcequotas' ? [QUOTA] : []),
    synced: () => (resource === 'things' ? new Promise(() => {}) : Promise.resolve()),
  })
  const client = {
    getPath: (path: string) => Promise.resolve(pathsOf(path)),
    updateStatus: (_resource: ResourceRef, quota: ResourceQuota) => Promise.resolve(written.push(quota)),
  }
  const context = { client, clock: new VirtualClock(), log: NO_LOG, informers: { informer } }
  const controller = new ResourceQuotaController(context as unknown as ControllerContext)
  const keys: string[] = []
  controller.watch((key) => keys.push(key))
  const { signal } = new AbortController()
  assert.deepEqual(keys, ['discovery'])
  await controller.reconcile('discovery', signal)
  assert.deepEqual(keys, ['discovery', 'n/q'])
  await controller.reconcile('n/q', signal)
  assert.deepEqual(written[0]?.status?.used, { pods: '0', 'count/things.example.com': '3' })
})
