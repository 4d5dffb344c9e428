/** Addresses that no endpoint may have: they would lead a node's traffic to the node itself or to nowhere. */
import { addressNumber, containsCidr, parseCidr, type Cidr } from '#api/cidr.ts'
import { canonicalIp, parseSloppy } from '#api/ip.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'

const RANGES: readonly (readonly [readonly string[], string])[] = [
  [['127.0.0.0/8', '::1/128'], 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [['169.254.0.0/16', 'fe80::/10'], 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [['224.0.0.0/24', 'ff02::/16'], 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

export function checkEndpointIp(errors: FieldError[], path: string, value: string): void {
  if (parseSloppy(value) === '') {
    errors.push(invalidValue(path, value, 'must be a valid IP address'))
    return
  }
  const canonical = canonicalIp(value)
  const bits = canonical.includes(':') ? 128 : 32
  const address: Cidr = { address: addressNumber(canonical), bits, prefix: bits }
  if (address.address === 0n) errors.push(invalidValue(path, value, `may not be unspecified (${value})`))
  for (const [ranges, text] of RANGES)
    if (ranges.some((range) => containsCidr(parseCidr(range)!, address))) errors.push(invalidValue(path, value, text))
}
