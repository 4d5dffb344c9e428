/** Checks what is reported of the devices and claims of a pod. */
import type {
  Container,
  ContainerStatus,
  NodeAllocatableResourceClaimStatus,
  Pod,
  PodExtendedResourceClaimStatus,
  ResourceHealth,
  ResourceStatus,
} from '#api/core/v1.gen.ts'
import { isHugePages } from '#api/core/pod-spec/resource-names.ts'
import { checkDnsLabel, checkDnsSubdomain, checkPresent } from '#api/validation.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '#machinery/field-error.ts'
import { compareQuantities } from '#machinery/quantity.ts'

export function validateClaimStatuses(errors: FieldError[], pod: Pod): void {
  validateResourceClaimStatuses(errors, pod)
  const extended = pod.status?.extendedResourceClaimStatus
  if (extended !== undefined) validateExtendedClaim(errors, extended, pod)
  for (const [i, claim] of (pod.status?.nodeAllocatableResourceClaimStatuses ?? []).entries())
    if (claim.resourceClaimName) validateNodeAllocatable(errors, claim, { pod, position: i })
}

function validateResourceClaimStatuses(errors: FieldError[], { spec, status }: Pod): void {
  const names = new Set<string>()
  for (const [i, { name, resourceClaimName }] of (status?.resourceClaimStatuses ?? []).entries()) {
    const path = `status.resourceClaimStatuses[${i}]`
    if (!spec.resourceClaims?.some((claim) => claim.name === name))
      errors.push(invalidValue(`${path}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'))
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    if (resourceClaimName !== undefined) checkDnsSubdomain(errors, `${path}.resourceClaimName`, resourceClaimName)
  }
}

function validateExtendedClaim(errors: FieldError[], claim: PodExtendedResourceClaimStatus, { spec }: Pod): void {
  const path = 'status.extendedResourceClaimStatus'
  const containers = new Map<string, Container>()
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])])
    containers.set(container.name, container)
  const mappings = claim.requestMappings ?? []
  if (mappings.length === 0)
    errors.push(required(`${path}.requestMappings`, 'at least one request mapping is required'))
  const seen = new Set<string>()
  for (const [i, { containerName, resourceName, requestName }] of mappings.entries()) {
    const place = `${path}.requestMappings[${i}]`
    const container = containers.get(containerName)
    if (container === undefined) {
      const text = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
      errors.push(invalidValue(`${place}.containerName`, containerName, text))
    } else if (container.resources?.requests?.[resourceName] === undefined) {
      const text =
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests'
      errors.push(invalidValue(`${place}.resourceName`, resourceName, text))
    }
    checkDnsLabel(errors, `${path}.requestName`, requestName)
    const key = `${containerName}\n${resourceName}\n${requestName}`
    if (seen.has(key)) {
      errors.push(duplicate(`${place}.containerName`, containerName))
      errors.push(duplicate(`${place}.resourceName`, resourceName))
      errors.push(duplicate(`${place}.requestName`, requestName))
    }
    seen.add(key)
  }
  const name = claim.resourceClaimName
  if (checkPresent(errors, `${path}.resourceClaimName`, name))
    checkDnsSubdomain(errors, `${path}.resourceClaimName`, name)
}

type ClaimPlace = { readonly pod: Pod; readonly position: number }

function validateNodeAllocatable(
  errors: FieldError[],
  claim: NodeAllocatableResourceClaimStatus,
  { pod, position }: ClaimPlace,
): void {
  const path = `status.nodeAllocatableResourceClaimStatuses[${position}]`
  const name = claim.resourceClaimName
  const known = [...(pod.spec.resourceClaims ?? []), ...(pod.status?.resourceClaimStatuses ?? [])]
  if (!known.some(({ resourceClaimName }) => resourceClaimName === name))
    errors.push(invalidValue(`${path}.resourceClaimName`, name, 'no mapping found in pod reference'))
  const checkName = (resource: string, place: string): void => {
    if (resource !== 'cpu' && resource !== 'memory' && !isHugePages(resource))
      errors.push(invalidValue(`${place}.name`, resource, 'must be a node allocatable resource name'))
  }
  const checkAmount = (amount: string | undefined, place: string): void => {
    if (amount !== undefined && compareQuantities(amount, '0') < 0)
      errors.push(invalidValue(place, amount, 'must be non-negative'))
  }
  for (const [i, mapping] of (claim.mapping ?? []).entries()) {
    checkName(mapping.name, `${path}.mapping[${i}]`)
    checkAmount(mapping.quantity, `${path}.mapping[${i}].quantity`)
  }
  for (const [i, overhead] of (claim.overhead ?? []).entries()) {
    const place = `${path}.overhead[${i}]`
    checkName(overhead.name, place)
    if (overhead.perPod === undefined && overhead.perContainer === undefined)
      errors.push(invalidValue(place, '', 'at least one of perPod or perContainer must be set'))
    checkAmount(overhead.perPod, `${place}.perPod`)
    checkAmount(overhead.perContainer, `${place}.perContainer`)
  }
}

export function validateAllocatedResources(errors: FieldError[], pod: Pod): void {
  const { spec, status = {} } = pod
  const lists = [
    ['containerStatuses', spec.containers],
    ['initContainerStatuses', spec.initContainers],
  ] as const
  for (const [list, containers = []] of lists)
    for (const [i, report] of (status[list] ?? []).entries())
      validateAllocated(errors, report, { pod, containers, path: `status.${list}[${i}].allocatedResourcesStatus` })
  for (const [i, { allocatedResourcesStatus = [] }] of (status.ephemeralContainerStatuses ?? []).entries()) {
    const path = `status.ephemeralContainerStatuses[${i}].allocatedResourcesStatus`
    if (allocatedResourcesStatus.length > 0)
      errors.push(forbiddenField(path, 'must not be specified in container status'))
  }
}

type AllocatedPlace = { readonly pod: Pod; readonly containers: readonly Container[]; readonly path: string }

function validateAllocated(
  errors: FieldError[],
  { name, allocatedResourcesStatus = [] }: ContainerStatus,
  { pod, containers, path }: AllocatedPlace,
): void {
  const container = containers.find((other) => other.name === name)
  for (const [i, resource] of allocatedResourcesStatus.entries()) {
    const place = `${path}[${i}]`
    const text = container === undefined ? '' : whyNotAllocated(resource, container, pod)
    if (text !== '') errors.push(invalidValue(`${place}.name`, resource.name, text))
    validateHealth(errors, resource.resources ?? [], `${place}.resources`)
  }
}

const CLAIM_PREFIX = 'claim:'

function whyNotAllocated({ name }: ResourceStatus, container: Container, pod: Pod): string {
  const { claims = [], requests = {} } = container.resources ?? {}
  if (!name.startsWith(CLAIM_PREFIX))
    return name in requests ? '' : "must match one of the container's resource requests"
  const reference = name.slice(CLAIM_PREFIX.length)
  const isClaimed = claims.some(
    (claim) => (claim.request ? `${claim.name}/${claim.request}` : claim.name) === reference,
  )
  if (isClaimed || isExtendedClaim(reference, container, pod)) return ''
  return "must match one of the container's resource claims as 'claim:<claimName>/<requestName>' when container.resources.claims[*].request is set or 'claim:<claimName>' when it is empty"
}

function isExtendedClaim(reference: string, container: Container, pod: Pod): boolean {
  const extended = pod.status?.extendedResourceClaimStatus
  const [claim, request = ''] = [reference.split('/', 1)[0]!, reference.slice(reference.indexOf('/') + 1)]
  if (extended?.resourceClaimName !== claim || request === '' || !reference.includes('/')) return false
  return (extended.requestMappings ?? []).some((mapping) => {
    const amount = container.resources?.requests?.[mapping.resourceName]
    const isMine = mapping.containerName === container.name && mapping.requestName === request
    return isMine && amount !== undefined && compareQuantities(amount, '0') !== 0
  })
}

const HEALTH = ['Healthy', 'Unhealthy', 'Unknown']
const HEALTH_MESSAGE_BYTES_MAX = 1024

function validateHealth(errors: FieldError[], resources: readonly ResourceHealth[], path: string): void {
  const ids = new Set<string>()
  for (const [i, { resourceID, health = '', message }] of resources.entries()) {
    const place = `${path}[${i}]`
    if (!HEALTH.includes(health)) errors.push(notSupported(`${place}.health`, health, HEALTH))
    if (message === '') errors.push(required(`${place}.message`, 'must be non-empty if specified'))
    else if (message !== undefined && Buffer.byteLength(message) > HEALTH_MESSAGE_BYTES_MAX)
      errors.push(tooLong(`${place}.message`, HEALTH_MESSAGE_BYTES_MAX))
    if (ids.has(resourceID)) errors.push(duplicate(`${place}.resourceID`, resourceID))
    ids.add(resourceID)
  }
}
