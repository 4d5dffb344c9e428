/** What one object counts for in a ResourceQuota, and which of a quota's resources speak of its kind. Pure. */
import type { PersistentVolumeClaim, Pod, Service } from '#api/core/v1.gen.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { compareQuantities, quantityToNumber } from '#machinery/quantity.ts'
import type { Amounts } from './amounts.ts'
import { isPodOver, podUsage } from './pod-usage.ts'

/** Kinds that had a name in quotas before every resource could be counted. */
const PLAIN_NAMES = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'])
const POD_RESOURCES = new Set([
  'pods',
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])
const CLAIM_RESOURCES = ['persistentvolumeclaims', 'requests.storage']
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

/** Answered but not stored, or too many to count. */
const IGNORED = new Set([
  '/bindings',
  '/componentstatuses',
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  '/events',
  'events.k8s.io/events',
])

export type Counted = Pick<KindDefinition, 'group' | 'resource'>

export const isUncounted = ({ group, resource }: Counted): boolean => IGNORED.has(`${group}/${resource}`)

export const countName = ({ group, resource }: Counted): string =>
  `count/${group === '' ? resource : `${resource}.${group}`}`

/** Those of `names` that objects of this kind use up. */
export function resourcesOf(kind: Counted, names: readonly string[]): string[] {
  return names.filter((name) => name === countName(kind) || (kind.group === '' && isOfKind(kind.resource, name)))
}

function isOfKind(resource: string, name: string): boolean {
  if (resource === 'pods')
    return (
      POD_RESOURCES.has(name) ||
      name.startsWith('hugepages-') ||
      name.startsWith('requests.hugepages-') ||
      isExtendedRequest(name)
    )
  if (resource === 'services') return ['services', 'services.nodeports', 'services.loadbalancers'].includes(name)
  if (resource === 'persistentvolumeclaims')
    return CLAIM_RESOURCES.some((own) => name === own || name.endsWith(`${STORAGE_CLASS_SUFFIX}${own}`))
  return PLAIN_NAMES.has(resource) && name === resource
}

/** Devices and the like, that only requests speak of. */
function isExtendedRequest(name: string): boolean {
  const isNative = !name.includes('/') || name.includes('kubernetes.io/')
  return name.startsWith('requests.') && (!isNative || name.startsWith('requests.deviceclass.resource.kubernetes.io/'))
}

export function usageOf(kind: Counted, object: KubernetesObject, nowMs: number): Amounts {
  const counted = { [countName(kind)]: '1' }
  if (kind.group !== '') return counted
  if (kind.resource === 'pods')
    return { ...counted, ...(isPodOver(object as Pod, nowMs) ? {} : podUsage(object as Pod)) }
  if (kind.resource === 'services') return { ...counted, ...serviceUsage(object as Service) }
  if (kind.resource === 'persistentvolumeclaims') return { ...counted, ...claimUsage(object as PersistentVolumeClaim) }
  return PLAIN_NAMES.has(kind.resource) ? { ...counted, [kind.resource]: '1' } : counted
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec.ports ?? []
  const usage: Record<string, string> = { services: '1', 'services.nodeports': '0', 'services.loadbalancers': '0' }
  if (spec.type === 'NodePort') usage['services.nodeports'] = String(ports.length)
  if (spec.type !== 'LoadBalancer') return usage
  usage['services.loadbalancers'] = '1'
  const isAllocated = spec.allocateLoadBalancerNodePorts !== false
  usage['services.nodeports'] = String(
    isAllocated ? ports.length : ports.filter(({ nodePort }) => (nodePort ?? 0) !== 0).length,
  )
  return usage
}

function claimUsage(claim: PersistentVolumeClaim): Amounts {
  const { metadata, spec } = claim
  const usage: Record<string, string> = { persistentvolumeclaims: '1' }
  const size = claimSize(claim)
  const storageClass = metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? ''
  if (storageClass !== '') usage[`${storageClass}${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`] = '1'
  if (size === null) return usage
  usage['requests.storage'] = size
  if (storageClass !== '') usage[`${storageClass}${STORAGE_CLASS_SUFFIX}requests.storage`] = size
  return usage
}

/** What is asked for, or what is allocated where an expansion that failed left more; whole bytes. */
function claimSize({ spec, status }: PersistentVolumeClaim): string | null {
  const wanted = spec.resources?.requests?.['storage']
  if (wanted === undefined) return null
  const allocated = status?.allocatedResources?.['storage']
  const size = allocated !== undefined && compareQuantities(allocated, wanted) > 0 ? allocated : wanted
  const bytes = String(quantityToNumber(size))
  return compareQuantities(bytes, size) === 0 ? size : bytes
}
