/** Checks EndpointSlices. */
import { isIPv4 } from 'node:net'
import { checkEndpointIp } from '#api/core/endpoint-ip.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/discovery/v1.gen.ts'
import { canonicalIp, checkIp } from '#api/ip.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkEnum,
  checkLabels,
  checkQualifiedName,
  checkRequiredEnum,
  checkText,
  immutableField,
} from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required, tooMany } from '#machinery/field-error.ts'
import { validateFullyQualifiedDomainName } from '#machinery/validation/fields.ts'
import { isDns1123Subdomain, isValidLabelValue } from '#machinery/validation/names.ts'

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const ENDPOINTS_MAX = 1000
const ADDRESSES_MAX = 100
const PORTS_MAX = 20_000
const TOPOLOGY_LABELS_MAX = 16
const HINTS_MAX = 8

export function validateEndpointSlice(slice: EndpointSlice, old: EndpointSlice | null): FieldError[] {
  const errors: FieldError[] = []
  checkRequiredEnum(errors, 'addressType', slice.addressType, ADDRESS_TYPES)
  validatePorts(errors, slice.ports ?? [])
  // Endpoints from before stricter checks may stay as long as nobody touches them.
  if (old === null || !isSemanticallyEqual(slice.endpoints, old.endpoints)) validateEndpoints(errors, slice)
  if (old !== null && slice.addressType !== old.addressType) errors.push(immutableField('addressType'))
  return errors
}

function validateEndpoints(errors: FieldError[], { endpoints, addressType }: EndpointSlice): void {
  const list = endpoints ?? []
  if (list.length > ENDPOINTS_MAX) {
    errors.push(tooMany('endpoints', list.length, ENDPOINTS_MAX))
    return
  }
  for (const [i, endpoint] of list.entries()) validateEndpoint(errors, `endpoints[${i}]`, endpoint, addressType)
}

function validateEndpoint(errors: FieldError[], path: string, endpoint: Endpoint, addressType: string): void {
  const addresses = endpoint.addresses ?? []
  if (addresses.length === 0) errors.push(required(`${path}.addresses`))
  else if (addresses.length > ADDRESSES_MAX) errors.push(tooMany(`${path}.addresses`, addresses.length, ADDRESSES_MAX))
  for (const [i, address] of addresses.entries()) {
    const place = `${path}.addresses[${i}]`
    if (addressType === 'FQDN') errors.push(...validateFullyQualifiedDomainName(place, address))
    else if (addressType === 'IPv4' || addressType === 'IPv6') validateAddress(errors, place, address, addressType)
  }
  if (endpoint.nodeName !== undefined) checkDnsSubdomain(errors, `${path}.nodeName`, endpoint.nodeName)
  const topology = endpoint.deprecatedTopology ?? {}
  const count = Object.keys(topology).length
  if (count > TOPOLOGY_LABELS_MAX) errors.push(tooMany(`${path}.deprecatedTopology`, count, TOPOLOGY_LABELS_MAX))
  checkLabels(errors, `${path}.deprecatedTopology`, topology)
  if (endpoint.hostname !== undefined) checkDnsLabel(errors, `${path}.hostname`, endpoint.hostname)
  validateHints(errors, `${path}.hints`, endpoint)
}

function validateAddress(errors: FieldError[], path: string, address: string, family: 'IPv4' | 'IPv6'): void {
  const before = errors.length
  checkIp(errors, path, address)
  const canonical = canonicalIp(address)
  if (errors.length === before && family === 'IPv6' && address !== canonical)
    errors.push(invalidValue(path, address, `must be in canonical form (${JSON.stringify(canonical)})`))
  if (errors.length > before) return
  if (isIPv4(canonical) !== (family === 'IPv4'))
    errors.push(invalidValue(path.replace(/\[\d+\]$/, ''), address, `must be an ${family} address`))
  checkEndpointIp(errors, path, address)
}

function validateHints(errors: FieldError[], path: string, { hints }: Endpoint): void {
  for (const [list, check] of [
    ['forZones', isValidLabelValue],
    ['forNodes', isDns1123Subdomain],
  ] as const) {
    const items = hints?.[list] ?? []
    if (items.length > HINTS_MAX) {
      errors.push(tooMany(`${path}.${list}`, items.length, HINTS_MAX))
      return
    }
    for (const [i, { name = '' }] of items.entries()) {
      const place = `${path}.${list}[${i}].name`
      if (items.findIndex((item) => item.name === name) < i) errors.push(duplicate(place, name))
      checkText(errors, place, name, check)
    }
  }
}

function validatePorts(errors: FieldError[], ports: readonly EndpointPort[]): void {
  if (ports.length > PORTS_MAX) {
    errors.push(tooMany('ports', ports.length, PORTS_MAX))
    return
  }
  const names = new Set<string>()
  for (const [i, { name = '', protocol, appProtocol }] of ports.entries()) {
    const path = `ports[${i}]`
    if (name !== '') checkDnsLabel(errors, `${path}.name`, name)
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    if (protocol === undefined) errors.push(required(`${path}.protocol`))
    else checkEnum(errors, `${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP'])
    if (appProtocol !== undefined) checkQualifiedName(errors, `${path}.appProtocol`, appProtocol)
  }
}
