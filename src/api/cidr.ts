/** Ranges of addresses in objects, `10.9.8.0/24`: what counts as one, its canonical form, and warnings about other forms. */
import { isIP, isIPv4 } from 'node:net'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { canonicalIp, parseSloppy } from './ip.ts'

export type Cidr = {
  /** As a number of 32 or 128 bits. */
  readonly address: bigint
  readonly bits: 32 | 128
  readonly prefix: number
}

/** Reads a range, leading zeros allowed; null for anything that is none. */
export function parseCidr(text: string): Cidr | null {
  const [ip = '', length = '', ...rest] = text.split('/')
  const address = canonicalIp(ip)
  if (address === '' || rest.length > 0 || !/^\d{1,9}$/.test(length)) return null
  const written = parseSloppy(ip)
  // IPv4 written inside IPv6 counts its prefix in IPv6.
  const offset = isIPv4(address) && !isIPv4(written) ? 96 : 0
  const bits = isIPv4(address) ? 32 : 128
  const prefix = Number(length) - offset
  return prefix < 0 || prefix > bits ? null : { address: addressNumber(address), bits, prefix }
}

/** An address in canonical form as a number. */
export function addressNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...middle, ...right].reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n)
}

/** The number of an address in canonical form again. */
export function addressOf(address: bigint, bits: 32 | 128): string {
  const step = bits === 32 ? 8n : 16n
  const count = bits === 32 ? 4 : 8
  const mask = (1n << step) - 1n
  const parts = Array.from({ length: count }, (_, i) => (address >> (step * BigInt(count - 1 - i))) & mask)
  return bits === 32 ? parts.join('.') : canonicalIp(parts.map((part) => part.toString(16)).join(':'))
}

function networkOf({ address, bits, prefix }: Cidr): bigint {
  const hostBits = BigInt(bits - prefix)
  return (address >> hostBits) << hostBits
}

/** The range in canonical form, host bits cleared. */
export function formatNetwork(cidr: Cidr): string {
  return `${addressOf(networkOf(cidr), cidr.bits)}/${cidr.prefix}`
}

/** True when the second range lies within the first. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  if (outer.bits !== inner.bits || inner.prefix < outer.prefix) return false
  return networkOf({ ...inner, prefix: outer.prefix }) === networkOf(outer)
}

/** Problems of a range in a field that once took any form: what the name servers of the world disagree on is refused now. */
export function checkCidr(errors: FieldError[], path: string, value: string): void {
  const cidr = parseCidr(value)
  if (cidr === null)
    errors.push(invalidValue(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
  else if (hasLeadingZeros(value))
    errors.push(invalidValue(path, value, 'must not have leading 0s in IP or prefix length'))
  else if (isMapped(value)) errors.push(invalidValue(path, value, 'must not have an IPv4-mapped IPv6 address'))
  else if (networkOf(cidr) !== cidr.address)
    errors.push(invalidValue(path, value, 'must not have bits set beyond the prefix length'))
}

/** Like checkCidr, for new fields: the canonical form only. */
export function checkCanonicalCidr(errors: FieldError[], path: string, value: string): void {
  const before = errors.length
  checkCidr(errors, path, value)
  if (errors.length > before) return
  const canonical = formatNetwork(parseCidr(value)!)
  if (value !== canonical)
    errors.push(invalidValue(path, value, `must be in canonical form (${JSON.stringify(canonical)})`))
}

function hasLeadingZeros(value: string): boolean {
  const [ip = '', length = ''] = value.split('/')
  return isIP(ip) === 0 || /^0\d/.test(length)
}

function isMapped(value: string): boolean {
  const ip = value.slice(0, value.indexOf('/'))
  return !isIPv4(ip) && isIPv4(canonicalIp(ip))
}

/** What to warn of a range that is accepted but written in an unusual or doubtful way. */
export function cidrWarnings(path: string, value: string): string[] {
  const cidr = parseCidr(value)
  if (cidr === null) return []
  const quoted = JSON.stringify(value)
  const canonical = JSON.stringify(formatNetwork(cidr))
  const warnings: string[] = []
  if (networkOf(cidr) !== cidr.address) {
    const single = JSON.stringify(`${addressOf(cidr.address, cidr.bits)}/${cidr.bits}`)
    warnings.push(`${path}: CIDR value ${quoted} is ambiguous in this context (should be ${canonical} or ${single}?)`)
  }
  if (hasLeadingZeros(value) || isMapped(value))
    warnings.push(`${path}: non-standard CIDR value ${quoted} is invalid: use ${canonical}`)
  if (warnings.length === 0 && cidr.bits === 128 && quoted !== canonical)
    warnings.push(`${path}: IPv6 CIDR value ${quoted} should be in RFC 5952 canonical format (${canonical})`)
  return warnings
}
