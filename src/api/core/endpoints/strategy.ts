/** How writes of Endpoints are completed and checked. */
import type { EndpointAddress, EndpointPort, Endpoints } from '#api/core/v1.gen.ts'
import { checkIp, ipWarnings } from '#api/ip.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsLabel, checkDnsSubdomain, checkPort, checkQualifiedName, checkRequiredEnum } from '#api/validation.ts'
import { type FieldError, required } from '#machinery/field-error.ts'
import { checkEndpointIp } from '../endpoint-ip.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const CONTROLLER = 'endpoint-controller'

export const endpointsStrategy: Strategy<Endpoints> = {
  allowCreateOnUpdate: true,
  setDefaults(endpoints) {
    for (const subset of endpoints.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate: (endpoints) => validateSubsets(endpoints),
  // Addresses from before stricter checks may stay as long as nobody touches them.
  validateUpdate: (endpoints, old) =>
    isSemanticallyEqual(endpoints.subsets, old.subsets) ? [] : validateSubsets(endpoints),
  warnings,
}

function validateSubsets({ subsets = [] }: Endpoints): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
    const path = `subsets[${i}]`
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
    for (const [j, address] of addresses.entries()) validateAddress(errors, `${path}.addresses[${j}]`, address)
    for (const [j, address] of notReadyAddresses.entries())
      validateAddress(errors, `${path}.notReadyAddresses[${j}]`, address)
    for (const [j, port] of ports.entries()) validatePort(errors, `${path}.ports[${j}]`, port, ports.length > 1)
  }
  return errors
}

function validateAddress(errors: FieldError[], path: string, address: EndpointAddress): void {
  const ip = address.ip ?? ''
  checkIp(errors, `${path}.ip`, ip)
  if (address.hostname) checkDnsLabel(errors, `${path}.hostname`, address.hostname)
  if (address.nodeName !== undefined) checkDnsSubdomain(errors, `${path}.nodeName`, address.nodeName)
  checkEndpointIp(errors, `${path}.ip`, ip)
}

function validatePort(errors: FieldError[], path: string, port: EndpointPort, needsName: boolean): void {
  if (port.name) checkDnsLabel(errors, `${path}.name`, port.name)
  else if (needsName) errors.push(required(`${path}.name`))
  checkPort(errors, `${path}.port`, port.port ?? 0)
  checkRequiredEnum(errors, `${path}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP'])
  if (port.appProtocol !== undefined) checkQualifiedName(errors, `${path}.appProtocol`, port.appProtocol)
}

/** The controller copies addresses from pods, and cannot do better than they do. */
function warnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata.labels?.[MANAGED_BY] === CONTROLLER) return []
  return subsets.flatMap((subset, i) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
      (subset[list] ?? []).flatMap(({ ip }, j) => ipWarnings(`subsets[${i}].${list}[${j}].ip`, ip)),
    ),
  )
}
