/** What is wrong between Services and the IPAddresses that say who has which address, and what mends it. Pure. */
import type { Service } from '#api/core/v1.gen.ts'
import type { IPAddress } from '#api/networking/v1.gen.ts'
import { hasRightLabels, isManaged } from './service-addresses.ts'

export type Repair = {
  /** About whom the event is. */
  readonly about: Service | IPAddress
  readonly reason: string
  readonly message: string
  readonly mend: { readonly create: string; readonly replaces: boolean } | { readonly remove: string } | null
}

export type AddressState = {
  readonly services: readonly Service[]
  readonly addresses: readonly IPAddress[]
  readonly isInRange: (address: string) => boolean
  readonly nowMs: number
}

/** An address is written before its Service: a younger one may still get it. */
const LEAK_GRACE_MS = 60_000
const CHANGE_GRACE_MS = 5000

export function planAddressRepair(state: AddressState): Repair[] {
  const addresses = new Map(state.addresses.map((address) => [address.metadata.name, address]))
  const services = new Map(state.services.map((service) => [keyOf(service.metadata), service]))
  return [
    ...state.services.flatMap((service) =>
      clusterIpsOf(service).flatMap((ip) => repairOfIp(state, services, service, addresses.get(ip), ip)),
    ),
    ...state.addresses.filter(isManaged).flatMap((address) => repairOfAddress(state, services, address)),
  ]
}

type Services = ReadonlyMap<string, Service>

const keyOf = ({ namespace = '', name = '' }: { namespace?: string; name?: string }): string => `${namespace}/${name}`

const clusterIpsOf = ({ spec }: Service): readonly string[] =>
  spec.type === 'ExternalName' ? [] : (spec.clusterIPs ?? []).filter((ip) => ip !== '' && ip !== 'None')

const familyText = (ip: string): string => (ip.includes(':') ? '[IPv6]' : '[IPv4]')

const isOfService = ({ spec }: IPAddress): boolean => !spec.parentRef?.group && spec.parentRef?.resource === 'services'

function repairOfIp(
  { isInRange, addresses }: AddressState,
  services: Services,
  service: Service,
  address: IPAddress | undefined,
  ip: string,
): Repair[] {
  const head = `Cluster IP ${familyText(ip)}`
  const tell = (reason: string, message: string, mend: Repair['mend']): Repair[] => [
    { about: service, reason, message, mend },
  ]
  if (!isInRange(ip))
    return tell(
      'ClusterIPOutOfRange',
      `${head}: ${ip} is not within any configured Service CIDR; please recreate service`,
      null,
    )
  if (address === undefined) {
    const mend = { create: ip, replaces: false }
    // Nothing was lost where nothing was ever recorded: an earlier version kept no IPAddresses.
    if (!addresses.some(isManaged)) return tell('', '', mend)
    return tell('ClusterIPNotAllocated', `${head}: ${ip} is not allocated; repairing`, mend)
  }
  const own = keyOf(service.metadata)
  const holder = services.get(keyOf(address.spec.parentRef ?? {}))
  if (!isOfService(address) || (keyOf(address.spec.parentRef!) !== own && holder === undefined)) {
    const message = `the ClusterIP ${familyText(ip)}: ${ip} for Service ${own} has a wrong reference; repairing`
    return tell('ClusterIPNotAllocated', message, { create: ip, replaces: true })
  }
  if (holder !== service && holder !== undefined && clusterIpsOf(holder).includes(ip))
    return tell(
      'ClusterIPAlreadyAllocated',
      `${head}:${ip} was assigned to multiple services; please recreate service`,
      null,
    )
  return hasRightLabels(address) ? [] : tell('', '', { create: ip, replaces: true })
}

function repairOfAddress({ nowMs }: AddressState, services: Services, address: IPAddress): Repair[] {
  const { name, creationTimestamp } = address.metadata
  const { namespace = '', name: parent = '' } = address.spec.parentRef ?? {}
  const key = `${namespace}/${parent}`
  const tell = (reason: string, message: string): Repair[] => [
    { about: address, reason, message, mend: { remove: name } },
  ]
  if (!isOfService(address))
    return tell(
      'IPAddressNotAllocated',
      `IPAddress ${name} appears to have been modified, not referencing a Service ${formatReference(address)}: cleaning up`,
    )
  const age = nowMs - Date.parse(creationTimestamp ?? '')
  const service = services.get(key)
  if (service === undefined) {
    if (age <= LEAK_GRACE_MS) return []
    return tell('IPAddressNotAllocated', `IPAddress: ${name} for Service ${key} appears to have leaked: cleaning up`)
  }
  if (service.spec.clusterIPs?.includes(name) === true) return []
  if (age < (service.spec.type === 'ExternalName' ? LEAK_GRACE_MS : CHANGE_GRACE_MS)) return []
  return tell('IPAddressWrongReference', `IPAddress: ${name} for Service ${key} has a wrong reference; cleaning up`)
}

/** As Go prints a pointer to it. */
function formatReference({ spec }: IPAddress): string {
  const { group = '', resource = '', namespace = '', name = '' } = spec.parentRef ?? {}
  return `&{${[group, resource, namespace, name].join(' ')}}`
}
