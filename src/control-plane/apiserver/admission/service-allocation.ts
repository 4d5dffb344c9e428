/** Gives Services their cluster addresses and node ports while they are written, and takes them back when the write fails. */
import type { Service } from '#api/core/v1.gen.ts'
import { AllocationError, allocateService, type ServiceAllocator } from '#api/core/service/allocation.ts'
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import type { PortPool } from '../registry/port-pool.ts'
import { recordOf, type AddressRecords, type ServiceAddresses } from '../registry/service-addresses.ts'
import { isResource, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'

export type ServicePools = {
  readonly addresses: ServiceAddresses
  readonly ports: PortPool
  readonly records: AddressRecords
  /** All that there are: which ranges addresses come from. */
  readonly serviceCidrs: () => Promise<readonly ServiceCIDR[]>
}

/** Last of the mutating plugins: it sees the Service as it will be stored. */
export function createServiceAllocation(pools: ServicePools): AdmissionPlugin {
  return {
    name: 'ServiceAllocation',
    async mutate(attributes) {
      const { operation, object, oldObject, dryRun, outcome, name } = attributes
      if (operation === 'CREATE' && !dryRun && isResource(attributes, 'ipaddresses', 'networking.k8s.io')) {
        // Whoever writes one holds the address, as the allocator itself does.
        pools.addresses.restore(name)
        outcome.onFailure(() => pools.addresses.release(name))
      }
      if (operation === 'DELETE' || !isResource(attributes, 'services')) return
      pools.addresses.follow(await pools.serviceCidrs())
      await allocateService(object as Service, oldObject as Service | null, allocatorFor(pools, attributes))
    },
  }
}

function allocatorFor(pools: ServicePools, attributes: AdmissionAttributes): ServiceAllocator {
  return attributes.dryRun ? rehearsal(pools) : allocatorOf(pools, attributes)
}

/** A dry run takes nothing: it shows the network's own address and ports that nobody gets, as upstream's. */
function rehearsal({ addresses, ports }: ServicePools): ServiceAllocator {
  let lastPort = REHEARSED_PORT_BEFORE
  return {
    families: addresses.families,
    takeAddress: async (family, wanted) => {
      if (wanted === '') return addresses.networkOf(family)
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

function allocatorOf(
  { addresses, ports, records }: ServicePools,
  { outcome, object, namespace, name }: AdmissionAttributes,
): ServiceAllocator {
  const metadata = { ...object!.metadata, namespace, name }
  return {
    families: addresses.families,
    async takeAddress(family, wanted) {
      const address = addresses.take(family, wanted)
      outcome.onFailure(() => addresses.release(address))
      // Before the Service: an address that nobody has is found and freed, one that two have is not.
      await records.create(recordOf(address, { metadata })).catch((error: unknown) => {
        if (isAlreadyExists(error)) throw new AllocationError('provided IP is already allocated')
        throw error
      })
      outcome.onFailure(() => void records.remove(address))
      return address
    },
    async takePort(wanted) {
      const port = ports.take(wanted)
      outcome.onFailure(() => ports.release(port))
      return port
    },
    release(addressOrPort) {
      outcome.onCommit(() => {
        if (typeof addressOrPort === 'number') return ports.release(addressOrPort)
        addresses.release(addressOrPort)
        void records.remove(addressOrPort)
      })
    },
  }
}
