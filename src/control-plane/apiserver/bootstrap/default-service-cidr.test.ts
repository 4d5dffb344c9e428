/** The ServiceCIDR of the server's own range comes back, grows by a family, and is left alone when somebody else made it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVICECIDRS } from '#api/resources.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'
import { DefaultServiceCidr } from './default-service-cidr.ts'
import { CLOCK, serverOn } from './testing.ts'

test('the default ServiceCIDR is made, made again, and grows by a second family', async () => {
  const { backend, client } = serverOn(createMemoryStore({ clock: CLOCK }))
  await backend.ready()
  const told: string[] = []
  const events = { event: (...[, , reason, message]: unknown[]) => void told.push(`${reason}: ${message}`) }
  const keeperOf = (...ranges: string[]) =>
    new DefaultServiceCidr({ client, clock: CLOCK, log: NO_LOG, events, ranges })
  const state = async () => {
    const { spec, status } = await client.get(SERVICECIDRS, '', 'kubernetes')
    return [spec!.cidrs, status?.conditions?.map((condition) => `${condition.type}=${condition.status}`)]
  }
  await keeperOf('10.96.0.0/24').reconcile()
  assert.deepEqual(await state(), [['10.96.0.0/24'], ['Ready=True']])
  await client.delete(SERVICECIDRS, '', 'kubernetes')
  await keeperOf('10.96.0.0/24').reconcile()
  await keeperOf('10.96.0.0/24', 'fd00::/112').reconcile()
  assert.deepEqual(await state(), [['10.96.0.0/24', 'fd00::/112'], ['Ready=True']])
  assert.deepEqual(told, [])
  const other = keeperOf('10.97.0.0/24')
  await other.reconcile()
  await other.reconcile()
  assert.deepEqual(told, [
    'KubernetesDefaultServiceCIDRInconsistent: The default ServiceCIDR [10.96.0.0/24 fd00::/112] does not match the controller flag configurations [10.97.0.0/24]',
  ])
  await backend.close()
})
