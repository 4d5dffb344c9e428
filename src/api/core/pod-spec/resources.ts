/** Checks what containers and pods ask for: requests, limits and claims. */
import type { ContainerResizePolicy, ResourceClaim, ResourceRequirements } from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkRequiredEnum, NOT_NEGATIVE } from '#api/validation.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '#machinery/field-error.ts'
import { compareQuantities, parseQuantity } from '#machinery/quantity.ts'
import {
  isHugePages,
  isIntegerResource,
  isOvercommitAllowed,
  isPodLevelResource,
  validateContainerResourceName,
  validateResourceName,
} from './resource-names.ts'

export type ResourcePlace = {
  readonly path: string
  /** Names in spec.resourceClaims of the pod. */
  readonly claimNames: ReadonlySet<string>
  /** Old objects may hold huge pages that are no multiple of the page size. */
  readonly allowIndivisibleHugePages: boolean
}

type NameCheck = (errors: FieldError[], name: string, path: string) => void

export function validateContainerResources(
  errors: FieldError[],
  resources: ResourceRequirements | undefined,
  place: ResourcePlace,
): void {
  if (resources !== undefined)
    validateRequirements(errors, resources, { ...place, checkName: validateContainerResourceName })
}

export function validatePodLevelRequirements(
  errors: FieldError[],
  resources: ResourceRequirements,
  place: ResourcePlace,
): void {
  validateRequirements(errors, resources, { ...place, checkName: validatePodResourceName })
}

function validatePodResourceName(errors: FieldError[], name: string, path: string): void {
  if (validateResourceName(errors, name, path) && !isPodLevelResource(name))
    errors.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']))
}

function validateRequirements(
  errors: FieldError[],
  { limits = {}, requests = {}, claims = [] }: ResourceRequirements,
  place: ResourcePlace & { readonly checkName: NameCheck },
): void {
  const { path } = place
  for (const name in limits) validateAmount(errors, name, limits[name]!, { ...place, path: `${path}.limits[${name}]` })
  for (const name in requests) {
    validateAmount(errors, name, requests[name]!, {
      ...place,
      path: `${path}.requests[${name}]`,
      requestOf: { path, limit: limits[name] },
    })
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
    errors.push(forbiddenField(path, 'HugePages require cpu or memory'))
  validateClaims(errors, claims, { ...place, path: `${path}.claims` })
}

type AmountPlace = ResourcePlace & {
  readonly checkName: NameCheck
  /** For a request: where its requirements are, and the limit of the same name. */
  readonly requestOf?: { readonly path: string; readonly limit: string | undefined }
}

function validateAmount(errors: FieldError[], name: string, amount: string, place: AmountPlace): void {
  const { path } = place
  place.checkName(errors, name, path)
  validateResourceAmount(errors, name, amount, path)
  if (place.requestOf !== undefined) compareWithLimit(errors, name, amount, place.requestOf)
  if (isHugePages(name) && !place.allowIndivisibleHugePages && !isMultipleOfPage(name, amount))
    errors.push(invalidValue(path, amount, `${amount} is not positive integer multiple of ${name}`))
}

/** Amounts are not negative, and whole numbers where things are counted. */
export function validateResourceAmount(errors: FieldError[], name: string, amount: string, path: string): void {
  if (compareQuantities(amount, '0') < 0) errors.push(invalidValue(path, amount, NOT_NEGATIVE))
  if (isIntegerResource(name) && parseQuantity(amount).nano % NANO !== 0n)
    errors.push(invalidValue(path, amount, 'must be an integer'))
}

function compareWithLimit(
  errors: FieldError[],
  name: string,
  amount: string,
  { path, limit }: { readonly path: string; readonly limit: string | undefined },
): void {
  if (limit === undefined) {
    if (!isOvercommitAllowed(name))
      errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    return
  }
  const order = compareQuantities(amount, limit)
  if (order !== 0 && !isOvercommitAllowed(name))
    errors.push(invalidValue(`${path}.requests`, amount, `must be equal to ${name} limit of ${limit}`))
  else if (order > 0)
    errors.push(invalidValue(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`))
}

/** Billionths in a whole. */
const NANO = 1_000_000_000n

export function isMultipleOfPage(name: string, amount: string): boolean {
  let page: bigint
  try {
    page = parseQuantity(name.slice('hugepages-'.length)).nano
  } catch {
    return false
  }
  if (page <= 0n || page % NANO !== 0n) return false
  const { nano } = parseQuantity(amount)
  const bytes = nano > 0n ? (nano + NANO - 1n) / NANO : nano / NANO
  return bytes % (page / NANO) === 0n
}

function validateClaims(
  errors: FieldError[],
  claims: readonly ResourceClaim[],
  { path, claimNames }: ResourcePlace,
): void {
  const seen = new Set<string>()
  for (const [i, { name = '', request = '' }] of claims.entries()) {
    const place = `${path}[${i}]`
    if (name === '') errors.push(required(place))
    else validateClaimOnce(errors, { name, request, path: place, seen })
    if (claimNames.has(name)) continue
    const known = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].toSorted().join(', ')}`
    const { field, type, message } = notFoundValue(place, name)
    errors.push({ field, type, message: `${message}: must be one of the names in pod.spec.resourceClaims${known}` })
  }
}

type ClaimUse = { readonly name: string; readonly request: string; readonly path: string; readonly seen: Set<string> }

/** A claim is used as a whole or request by request, and each of them once. */
function validateClaimOnce(errors: FieldError[], { name, request, path, seen }: ClaimUse): void {
  if (seen.has(name)) {
    errors.push(duplicate(path, name))
    seen.add(name)
    return
  }
  if (request !== '') checkDnsLabel(errors, `${path}.request`, request)
  const key = request === '' ? name : `${name}/${request}`
  if (seen.has(key)) errors.push(duplicate(path, key))
  else if (request === '')
    for (const other of seen) if (other.startsWith(`${name}/`)) errors.push(duplicate(path, name))
  seen.add(key)
}

export function validateResizePolicy(
  errors: FieldError[],
  policies: readonly ContainerResizePolicy[],
  { path, restartPolicy }: { readonly path: string; readonly restartPolicy: string | undefined },
): void {
  const seen = new Set<string>()
  for (const [i, policy] of policies.entries()) {
    if (seen.has(policy.resourceName)) errors.push(duplicate(`${path}[${i}]`, policy.resourceName))
    seen.add(policy.resourceName)
    checkRequiredEnum(errors, path, policy.resourceName, ['cpu', 'memory'])
    checkRequiredEnum(errors, path, policy.restartPolicy, ['NotRequired', 'RestartContainer'])
    if (restartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired')
      errors.push(invalidValue(path, policy.restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
  }
}
