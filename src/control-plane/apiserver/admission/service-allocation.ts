/** Gives Services their cluster addresses and node ports while they are written, and takes them back when the write fails. */
import type { Service } from '#api/core/v1.gen.ts'
import { allocateService, type ServiceAllocator } from '#api/core/service/allocation.ts'
import type { AddressPool } from '../registry/address-pool.ts'
import type { PortPool } from '../registry/port-pool.ts'
import { isResource, type AdmissionAttributes, type AdmissionPlugin, type WriteOutcome } from './admission.ts'

export type ServicePools = { readonly addresses: AddressPool; readonly ports: PortPool }

/** Last of the mutating plugins: it sees the Service as it will be stored. */
export function createServiceAllocation(pools: ServicePools): AdmissionPlugin {
  return {
    name: 'ServiceAllocation',
    async mutate(attributes) {
      if (attributes.operation === 'DELETE' || !isResource(attributes, 'services')) return
      const [service, old] = [attributes.object as Service, attributes.oldObject as Service | null]
      await allocateService(service, old, allocatorFor(pools, attributes))
    },
  }
}

function allocatorFor(pools: ServicePools, { dryRun, outcome }: AdmissionAttributes): ServiceAllocator {
  return dryRun ? rehearsal(pools) : allocatorOf(pools, outcome)
}

/** A dry run takes nothing: it shows the network's own address and ports that nobody gets, as upstream's. */
function rehearsal({ addresses, ports }: ServicePools): ServiceAllocator {
  let lastPort = REHEARSED_PORT_BEFORE
  return {
    families: ['IPv4'],
    takeAddress: async (_family, wanted) => {
      if (wanted === '') return addresses.network
      addresses.check(wanted)
      return wanted
    },
    takePort: async (wanted) => {
      if (wanted === 0) return ++lastPort
      ports.check(wanted)
      return wanted
    },
    release: () => {},
  }
}

const REHEARSED_PORT_BEFORE = 32768

function allocatorOf({ addresses, ports }: ServicePools, outcome: WriteOutcome): ServiceAllocator {
  return {
    families: ['IPv4'],
    async takeAddress(_family, wanted) {
      const address = addresses.take(wanted)
      outcome.onFailure(() => addresses.release(address))
      return address
    },
    async takePort(wanted) {
      const port = ports.take(wanted)
      outcome.onFailure(() => ports.release(port))
      return port
    },
    release(addressOrPort) {
      outcome.onCommit(() =>
        typeof addressOrPort === 'string' ? addresses.release(addressOrPort) : ports.release(addressOrPort),
      )
    },
  }
}
