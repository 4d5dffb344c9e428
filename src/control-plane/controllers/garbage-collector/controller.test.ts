/** Tests of races that a whole cluster shows only by chance: the watches of owner and dependent are not in step. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import type { Informer, InformerFactory, InformerHandler } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { DeleteOptions, OwnerReference } from '#machinery/meta/v1.gen.ts'
import { notFound } from '#machinery/status-error.ts'
import { GarbageCollectorController } from './controller.ts'

const OWNER: OwnerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'owner-uid' }
const VERBS = ['delete', 'list', 'watch']

const configMap = (ownerReferences: OwnerReference[]): KubernetesObject => ({
  metadata: {
    name: 'a',
    namespace: 'default',
    uid: 'a-uid',
    resourceVersion: '7',
    creationTimestamp: '',
    ownerReferences,
  },
})

/** Shows `shown` to the collector, while the server holds `live`; answers the deletes that it sends. */
async function collect(shown: KubernetesObject, live: KubernetesObject): Promise<DeleteOptions[]> {
  const deletes: DeleteOptions[] = []
  const client = {
    getPath: async (path: string) =>
      path === '/apis'
        ? { groups: [] }
        : { resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: VERBS }] },
    get: async (_resource: unknown, _namespace: string, name: string) => {
      if (name === live.metadata.name) return live
      throw notFound({ group: '', resource: 'configmaps' }, name)
    },
    delete: async (_resource: unknown, _namespace: string, _name: string, options: DeleteOptions) => {
      deletes.push(options)
    },
  } as unknown as Client
  const informer = {
    addHandler: (handler: InformerHandler<KubernetesObject>) => handler.added?.(shown),
    synced: async () => {},
  } as unknown as Informer<KubernetesObject>
  const informers = { informer: () => informer } as unknown as InformerFactory
  const clock = new SystemClock()
  const context = { client, informers, clock, random: new SystemRandom(), log: NO_LOG, events: { event: () => {} } }
  const controller = new GarbageCollectorController({ ...context, options: {} })
  const { signal } = new AbortController()
  controller.watch(() => {})
  await controller.reconcile('discovery', signal)
  await clock.yield()
  await controller.reconcile('a-uid', signal)
  return deletes
}

test('an object whose owner is gone is deleted as it was looked at', async () => {
  assert.deepEqual(await collect(configMap([OWNER]), configMap([OWNER])), [
    { propagationPolicy: 'Background', preconditions: { uid: 'a-uid', resourceVersion: '7' } },
  ])
})

test('an object that was let go, or adopted by another, is not deleted', async () => {
  assert.deepEqual(await collect(configMap([OWNER]), configMap([])), [])
  assert.deepEqual(await collect(configMap([OWNER]), configMap([{ ...OWNER, uid: 'other' }])), [])
})

test('an object of the same name that came later is not deleted', async () => {
  const later = configMap([OWNER])
  assert.deepEqual(await collect(configMap([OWNER]), { ...later, metadata: { ...later.metadata, uid: 'b' } }), [])
})
