/** Checks references to fields and resources of the pod itself (downward API). */
import type { ObjectFieldSelector, ResourceFieldSelector } from '#api/core/v1.gen.ts'
import { checkPresent, checkQualifiedName } from '#api/validation.ts'
import { type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'

/** Fields that a pod of API version v1 can be asked for; each use allows some of them. */
const KNOWN_FIELDS = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

const HUGE_PAGES = /^(?:requests|limits)\.hugepages-/

const CPU_DIVISORS = new Set(['1m', '1'])
const BYTE_DIVISORS = new Set('1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei'.split(' '))

type FieldPlace = { readonly path: string; readonly allowed: ReadonlySet<string> }

export function validateFieldSelector(
  errors: FieldError[],
  { apiVersion, fieldPath }: ObjectFieldSelector,
  { path, allowed }: FieldPlace,
): void {
  if (!checkPresent(errors, `${path}.apiVersion`, apiVersion)) return
  if (!checkPresent(errors, `${path}.fieldPath`, fieldPath)) return
  const refused = whyUnknown(apiVersion, fieldPath)
  if (refused !== '') {
    errors.push(invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${refused}`))
    return
  }
  const { name, key } = splitSubscript(fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath)
  if (key === undefined) {
    if (!allowed.has(name)) errors.push(notSupported(`${path}.fieldPath`, name, [...allowed]))
  } else if (name === 'metadata.annotations') checkQualifiedName(errors, path, key.toLowerCase())
  else checkQualifiedName(errors, path, key)
}

/** Why the pod has no such field; empty when it has. */
function whyUnknown(apiVersion: string, fieldPath: string): string {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`
  const { name, key } = splitSubscript(fieldPath)
  if (key !== undefined)
    return name === 'metadata.annotations' || name === 'metadata.labels'
      ? ''
      : `field label does not support subscript: ${fieldPath}`
  return KNOWN_FIELDS.has(name) || name === 'spec.host' ? '' : `field label not supported: ${fieldPath}`
}

/** `metadata.labels['app']` -> name and key. */
function splitSubscript(fieldPath: string): { readonly name: string; readonly key?: string } {
  const start = fieldPath.indexOf("['")
  if (start <= 0 || !fieldPath.endsWith("']")) return { name: fieldPath }
  return { name: fieldPath.slice(0, start), key: fieldPath.slice(start + 2, -2) }
}

type ResourcePlace = { readonly path: string; readonly isVolume: boolean }

export function validateResourceFieldSelector(
  errors: FieldError[],
  selector: ResourceFieldSelector,
  { path, isVolume }: ResourcePlace,
): void {
  const { containerName = '', resource = '' } = selector
  if (isVolume && containerName === '') errors.push(required(`${path}.containerName`))
  else if (resource === '') errors.push(required(`${path}.resource`))
  else if (!RESOURCE_FIELDS.includes(resource) && !HUGE_PAGES.test(resource))
    errors.push(notSupported(`${path}.resource`, resource, RESOURCE_FIELDS))
  validateDivisor(errors, selector, path)
}

const BYTE_DIVISOR_TEXT =
  "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the"

function validateDivisor(
  errors: FieldError[],
  { resource = '', divisor = '0' }: ResourceFieldSelector,
  path: string,
): void {
  if (divisor === '0' || divisor === '') return
  const refuse = (text: string): void => void errors.push(invalidValue(`${path}.divisor`, resource, text))
  const isBytes = BYTE_DIVISORS.has(divisor)
  if (resource.endsWith('.cpu')) {
    if (!CPU_DIVISORS.has(divisor)) refuse("only divisor's values 1m and 1 are supported with the cpu resource")
  } else if (resource.endsWith('.memory')) {
    if (!isBytes) refuse(`${BYTE_DIVISOR_TEXT} memory resource`)
  } else if (resource.endsWith('.ephemeral-storage')) {
    if (!isBytes) refuse(`${BYTE_DIVISOR_TEXT} local ephemeral storage resource`)
  } else if (HUGE_PAGES.test(resource) && !isBytes) refuse(`${BYTE_DIVISOR_TEXT} hugepages resource`)
}
