/** What Services take of the allocators, and give back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '#api/core/v1.gen.ts'
import { AllocationError, allocateService, type ServiceAllocator } from './allocation.ts'

const metadata = { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '', creationTimestamp: '' }

function service(spec: Service['spec']): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { ...metadata }, spec: { ...spec } }
}

class Counter implements ServiceAllocator {
  readonly families = ['IPv4']
  readonly released: (string | number)[] = []
  #address = 1
  #port = 30_001

  takeAddress(_family: string, wanted: string): Promise<string> {
    if (wanted === '10.96.0.10') throw new AllocationError('provided IP is already allocated')
    return Promise.resolve(wanted === '' ? `10.96.0.${this.#address++}` : wanted)
  }

  takePort(wanted: number): Promise<number> {
    return Promise.resolve(wanted === 0 ? this.#port++ : wanted)
  }

  release(addressOrPort: string | number): void {
    this.released.push(addressOrPort)
  }
}

const ports = [{ port: 80, protocol: 'TCP', targetPort: 80 }]

test('a new NodePort service gets an address and a port', async () => {
  const created = service({ type: 'NodePort', ports: structuredClone(ports) })
  await allocateService(created, null, new Counter())
  assert.equal(created.spec?.clusterIP, '10.96.0.1')
  assert.deepEqual(created.spec?.clusterIPs, ['10.96.0.1'])
  assert.equal(created.spec?.ports?.[0]?.nodePort, 30_001)
})

test('a service that becomes ExternalName gives its address back', async () => {
  const allocator = new Counter()
  const old = service({ type: 'ClusterIP', ports: structuredClone(ports) })
  await allocateService(old, null, allocator)
  const changed = service({ type: 'ExternalName', externalName: 'example.com' })
  await allocateService(changed, old, allocator)
  assert.deepEqual(allocator.released, ['10.96.0.1'])
})

test('an address that somebody else has is refused with its field', async () => {
  const taken = service({ type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports })
  await assert.rejects(allocateService(taken, null, new Counter()), /spec\.clusterIPs.*already allocated/)
})
