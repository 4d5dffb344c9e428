/** Checks name resolution of a pod: DNS policy and configuration, host aliases, host name. */
import type { HostAlias, PodDNSConfig, PodSpec } from '#api/core/v1.gen.ts'
import { checkIp } from '#api/ip.ts'
import { checkDnsSubdomain, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '#machinery/field-error.ts'
import { isDns1123SubdomainWithUnderscore } from '#machinery/validation/names.ts'

const NAMESERVERS_MAX = 3
const SEARCHES_MAX = 32
const SEARCH_LIST_BYTES_MAX = 2048
const HOSTNAME_BYTES_MAX = 64

export function validateDnsConfig(errors: FieldError[], { dnsPolicy, dnsConfig }: PodSpec, path: string): void {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) {
      errors.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'))
      return
    }
    if ((dnsConfig.nameservers ?? []).length === 0) {
      const text = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
      errors.push(required(`${path}.nameservers`, text))
      return
    }
  }
  if (dnsConfig !== undefined) validateConfig(errors, dnsConfig, path)
}

function validateConfig(
  errors: FieldError[],
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  path: string,
): void {
  if (nameservers.length > NAMESERVERS_MAX)
    errors.push(
      invalidValue(`${path}.nameservers`, nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`),
    )
  for (const [i, server] of nameservers.entries()) checkIp(errors, `${path}.nameservers[${i}]`, server)
  validateSearches(errors, searches, `${path}.searches`)
  for (const [i, { name = '' }] of options.entries())
    if (name === '') errors.push(required(`${path}.options[${i}]`, 'must not be empty'))
}

function validateSearches(errors: FieldError[], searches: readonly string[], path: string): void {
  if (searches.length > SEARCHES_MAX)
    errors.push(invalidValue(path, searches, `must not have more than ${SEARCHES_MAX} search paths`))
  if (Buffer.byteLength(searches.join(' ')) > SEARCH_LIST_BYTES_MAX) {
    const text = `must not have more than ${SEARCH_LIST_BYTES_MAX} characters (including spaces) in the search list`
    errors.push(invalidValue(path, searches, text))
  }
  for (const [i, search] of searches.entries()) {
    if (search === '.') continue
    const name = search.endsWith('.') ? search.slice(0, -1) : search
    checkText(errors, `${path}[${i}]`, name, isDns1123SubdomainWithUnderscore)
  }
}

export function validateHostAliases(errors: FieldError[], aliases: readonly HostAlias[], path: string): void {
  for (const [i, { ip = '', hostnames = [] }] of aliases.entries()) {
    checkIp(errors, `${path}[${i}].ip`, ip)
    for (const [j, name] of hostnames.entries()) checkDnsSubdomain(errors, `${path}[${i}].hostnames[${j}]`, name)
  }
}

export function validateHostnameOverride(errors: FieldError[], spec: PodSpec, path: string): void {
  const { hostnameOverride } = spec
  if (hostnameOverride === undefined) return
  const place = `${path}.hostnameOverride`
  if (spec.setHostnameAsFQDN === true)
    errors.push(forbiddenField(place, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork === true) errors.push(forbiddenField(place, 'may not be specified when hostNetwork is true'))
  if (Buffer.byteLength(hostnameOverride) > HOSTNAME_BYTES_MAX) errors.push(tooLong(place, HOSTNAME_BYTES_MAX))
  checkDnsSubdomain(errors, place, hostnameOverride)
}
