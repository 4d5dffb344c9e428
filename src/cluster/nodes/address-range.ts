/** Whether an IPv4 address lies in a range such as `10.244.1.0/24`. */

export type AddressRange = { includes(address: string): boolean }

/** A text that is no range includes nothing. */
export function addressRange(cidr: string): AddressRange {
  const [base, bits] = cidr.split('/')
  const start = toNumber(base ?? '')
  const prefix = Number(bits)
  if (start === null || bits === undefined || !(prefix >= 0 && prefix <= 32)) return { includes: () => false }
  const size = 2 ** (32 - prefix)
  const first = Math.floor(start / size) * size
  return {
    includes: (address) => {
      const value = toNumber(address)
      return value !== null && value >= first && value < first + size
    },
  }
}

function toNumber(address: string): number | null {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return null
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}
