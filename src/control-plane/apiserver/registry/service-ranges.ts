/** The ranges that ServiceCIDRs name: which there are, and which of them give addresses. Pure. */
import { parseCidr } from '#api/cidr.ts'
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'

/** Larger ranges of IPv6 give no addresses. */
const IPV6_PREFIX_MIN = 64

/** Range -> whether one of the ServiceCIDRs that name it is ready. Ranges may overlap, and several may name one. */
export function rangesOf(serviceCidrs: readonly ServiceCIDR[]): Map<string, boolean> {
  const ranges = new Map<string, boolean>()
  for (const serviceCidr of serviceCidrs) {
    const isReady = isServiceCidrReady(serviceCidr)
    for (const range of serviceCidr.spec?.cidrs ?? []) {
      const cidr = parseCidr(range)
      if (cidr === null || (cidr.bits === 128 && cidr.prefix < IPV6_PREFIX_MIN)) continue
      ranges.set(range, isReady || ranges.get(range) === true)
    }
  }
  return ranges
}

/** Without a condition it is: nobody may be there to set one. */
function isServiceCidrReady({ metadata, status }: ServiceCIDR): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready === undefined || ready.status === 'True'
}
