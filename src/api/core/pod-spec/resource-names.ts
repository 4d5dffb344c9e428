/** Which names resources may have: standard ones, huge pages, and extended resources of devices. */
import type { FieldError } from '#machinery/field-error.ts'
import { invalidValue } from '#machinery/field-error.ts'
import { isQualifiedName } from '#machinery/validation/names.ts'

const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage'])

const INTEGER_RESOURCES = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])

const STANDARD_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  ...INTEGER_RESOURCES,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'requests.storage',
  'storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-')
}

/** A resource of Kubernetes itself, by a short name or in the kubernetes.io domain. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/')
}

/** A device or the like: `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false
  return isQualifiedName(`requests.${name}`).length === 0
}

/** Limits may be higher than requests: not so for huge pages and devices. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name)
}

export function isIntegerResource(name: string): boolean {
  return INTEGER_RESOURCES.has(name) || isExtendedResource(name)
}

export function isStandardResource(name: string): boolean {
  return STANDARD_RESOURCES.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')
}

/** Resources that a pod as a whole may ask for. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name)
}

/** True when the name is well-formed and known; otherwise says what is wrong. */
export function validateResourceName(errors: FieldError[], name: string, path: string): boolean {
  const messages = isQualifiedName(name)
  for (const message of messages) errors.push(invalidValue(path, name, message))
  if (messages.length > 0) return false
  if (name.includes('/') || isStandardResource(name)) return true
  errors.push(invalidValue(path, name, 'must be a standard resource type or fully qualified'))
  return false
}

export function validateContainerResourceName(errors: FieldError[], name: string, path: string): void {
  validateResourceName(errors, name, path)
  if (!name.includes('/')) {
    if (!CONTAINER_RESOURCES.has(name) && !isHugePages(name))
      errors.push(invalidValue(path, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    errors.push(invalidValue(path, name, "doesn't follow extended resource name standard"))
}
