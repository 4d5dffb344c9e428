/** IP addresses in objects: what counts as one, its canonical form, and warnings about other forms. */
import { isIP, isIPv4, SocketAddress } from 'node:net'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'

const LEADING_ZEROS = /(^|\.)0+(?=\d)/g
const IPV4_IN_IPV6 = /^[0:]*:ffff:(?:0:)?/i

/** Problems of an address in a field that once took any form: leading zeros and IPv4 in IPv6 are refused now. */
export function checkIp(errors: FieldError[], path: string, value: string): void {
  const sloppy = parseSloppy(value)
  if (sloppy === '') {
    errors.push(invalidValue(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
    return
  }
  if (isIP(value) === 0) errors.push(invalidValue(path, value, 'must not have leading 0s'))
  else if (isMapped(value)) errors.push(invalidValue(path, value, 'must not be an IPv4-mapped IPv6 address'))
}

/** The address with leading zeros removed; empty for anything that is no address. */
export function parseSloppy(value: string): string {
  if (value.includes('%')) return ''
  if (isIP(value) !== 0) return value
  const stripped = value.replaceAll(LEADING_ZEROS, '$1')
  return isIPv4(stripped) ? stripped : ''
}

/** RFC 5952 for IPv6, dotted decimals for IPv4 (also for IPv4 written inside IPv6). */
export function canonicalIp(value: string): string {
  const address = parseSloppy(value)
  if (address === '' || isIPv4(address)) return address
  const text = new SocketAddress({ address, family: 'ipv6' }).address
  return isMapped(text) ? text.slice(text.lastIndexOf(':') + 1) : text
}

function isMapped(value: string): boolean {
  if (isIPv4(value)) return false
  const text = new SocketAddress({ address: value, family: 'ipv6' }).address
  return IPV4_IN_IPV6.test(text) && text.includes('.')
}

/** What to warn of an address that is accepted but written in an unusual way. */
export function ipWarnings(path: string, value: string): string[] {
  const address = parseSloppy(value)
  if (address === '') return []
  const canonical = canonicalIp(value)
  if (isIP(value) === 0 || isMapped(value))
    return [`${path}: non-standard IP address ${JSON.stringify(value)} is invalid: use ${JSON.stringify(canonical)}`]
  if (canonical === value || isIPv4(value)) return []
  const form = `RFC 5952 canonical format (${JSON.stringify(canonical)})`
  return [`${path}: IPv6 address ${JSON.stringify(value)} should be in ${form}`]
}

/** True for one address of each family. */
export function isDualStack(addresses: readonly string[]): boolean {
  const families = new Set(addresses.map((address) => (address.includes(':') ? 6 : 4)))
  return families.size === 2
}
