/** Decides whether a ServiceCIDR can go: not while an address of a Service would then be in no range. */
import { isIPv6 } from 'node:net'
import { addressNumber, containsCidr, parseCidr, type Cidr } from '#api/cidr.ts'
import type { IPAddress, ServiceCIDR } from '#api/networking/v1.gen.ts'

/** On the IPAddresses that the API server keeps for Services. */
const MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by'
const MANAGED_BY = 'ipallocator.k8s.io'

const cidrsOf = ({ spec }: ServiceCIDR): Cidr[] => (spec?.cidrs ?? []).flatMap((text) => parseCidr(text) ?? [])

const overlaps = (left: Cidr, right: Cidr): boolean => containsCidr(left, right) || containsCidr(right, left)

export const isManaged = ({ metadata }: IPAddress): boolean => metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY

/** The network's own address and the broadcast address of IPv4 are never a Service's: they belong to no range. */
function containsAddress(cidr: Cidr, address: string): boolean {
  const bits = isIPv6(address) ? 128 : 32
  const number = addressNumber(address)
  if (!containsCidr(cidr, { address: number, bits, prefix: bits })) return false
  const hosts = (1n << BigInt(cidr.bits - cidr.prefix)) - 1n
  return (number & hosts) !== 0n && (bits === 128 || (number & hosts) !== hosts)
}

export const containingAddress = (address: string, all: readonly ServiceCIDR[]): ServiceCIDR[] =>
  all.filter((serviceCidr) => cidrsOf(serviceCidr).some((cidr) => containsAddress(cidr, address)))

export const overlapping = (serviceCidr: ServiceCIDR, all: readonly ServiceCIDR[]): ServiceCIDR[] =>
  all.filter((other) => cidrsOf(other).some((cidr) => cidrsOf(serviceCidr).some((own) => overlaps(cidr, own))))

export function canDelete(
  serviceCidr: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): boolean {
  const own = cidrsOf(serviceCidr)
  const isOther = (other: ServiceCIDR): boolean => other.metadata.name !== serviceCidr.metadata.name
  const others = all.filter(isOther)
  if (own.every((cidr) => others.some((other) => cidrsOf(other).some((outer) => containsCidr(outer, cidr)))))
    return true
  const isOrphaned = ({ metadata: { name } }: IPAddress): boolean =>
    own.some((cidr) => containsAddress(cidr, name)) && containingAddress(name, others).length === 0
  return !addresses.some((address) => isManaged(address) && isOrphaned(address))
}
