/** A server that dies between the write of an address and that of its Service, and what the next one makes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IPADDRESSES, SERVICECIDRS, SERVICES } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'
import type { Store } from '#control-plane/store/store.ts'
import { repairServices } from './service-repair.ts'
import { CLOCK, serverOn } from './testing.ts'

/** As of now, but a minute and more later for whoever looks. */
class LaterClock extends SystemClock {
  override now(): number {
    return super.now() + 120_000
  }
}

/** Services never arrive: as if the process had been killed before. */
function withoutServices(store: Store): Store {
  return new Proxy(store, {
    get: (target, property) => {
      const member = Reflect.get(target, property) as unknown
      if (typeof member !== 'function') return member
      if (property !== 'write') return member.bind(target)
      return (key: string, change: unknown) =>
        key.startsWith('/registry/services/specs/') ? new Promise(() => {}) : member.call(target, key, change)
    },
  })
}

const serviceOf = (name: string, spec: object = {}) => ({
  metadata: { name, namespace: 'n' },
  spec: { ports: [{ port: 80 }], ...spec },
})

test('an address of a Service that never came is free again, and a lost record comes back', async () => {
  const store = createMemoryStore({ clock: CLOCK })
  const dying = serverOn(withoutServices(store))
  await dying.backend.ready()
  void dying.client.create(SERVICES, serviceOf('lost', { clusterIP: '10.96.0.7' }))
  const { backend, client } = serverOn(store)
  await backend.ready()
  while ((await client.list(IPADDRESSES, '')).items.length === 0) await CLOCK.sleep(1)
  const told: string[] = []
  const recorder = { event: (_about: unknown, _type: string, reason: string) => void told.push(reason) }
  const events = { addresses: recorder, ports: recorder }
  const nodePortRange = { from: 30_000, to: 32_767 }
  await client.create(SERVICECIDRS, {
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.96.0.0/24', 'fd00::/112'] },
  })
  const repair = (clock: SystemClock): Promise<void> => repairServices({ client, clock, nodePortRange, events })
  await repair(CLOCK)
  await assert.rejects(client.create(SERVICES, serviceOf('early', { clusterIP: '10.96.0.7' })), /already allocated/)
  await repair(new LaterClock())
  assert.deepEqual(told, ['IPAddressNotAllocated'])
  await client.create(SERVICES, serviceOf('late', { clusterIP: '10.96.0.7' }))
  await client.create(SERVICES, serviceOf('other'))
  await client.delete(IPADDRESSES, '', '10.96.0.7')
  await repair(CLOCK)
  assert.deepEqual(told, ['IPAddressNotAllocated', 'ClusterIPNotAllocated'])
  const { spec } = await client.get(IPADDRESSES, '', '10.96.0.7')
  assert.deepEqual(spec.parentRef, { resource: 'services', namespace: 'n', name: 'late' })
  await backend.close()
})

test('a Service of two families has an address of each, and lets both go', async () => {
  const { backend, client } = serverOn(createMemoryStore({ clock: CLOCK }))
  await backend.ready()
  const { spec } = await client.create(SERVICES, serviceOf('dual', { ipFamilyPolicy: 'RequireDualStack' }))
  assert.deepEqual(spec.ipFamilies, ['IPv4', 'IPv6'])
  const records = async () => (await client.list(IPADDRESSES, '')).items.map(({ metadata }) => metadata.name)
  assert.deepEqual((await records()).toSorted(), spec.clusterIPs!.toSorted())
  const wanted = { ipFamilies: ['IPv6'], clusterIP: 'fd00::5' }
  assert.deepEqual((await client.create(SERVICES, serviceOf('six', wanted))).spec.clusterIPs, ['fd00::5'])
  await client.delete(SERVICES, 'n', 'dual')
  while ((await records()).length > 1) await CLOCK.sleep(1)
  assert.deepEqual(await records(), ['fd00::5'])
  await backend.close()
})
