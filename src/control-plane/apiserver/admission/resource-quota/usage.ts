/** What one object counts for in a ResourceQuota, and which of a quota's resources speak of its kind. Pure. */
import type { PersistentVolumeClaim, Pod, Service } from '#api/core/v1.gen.ts'
import { aggregateResources } from '#api/core/pod-spec/aggregate-resources.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { addAmounts, type Amounts } from './amounts.ts'

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
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

type Counted = Pick<KindDefinition, 'group' | 'resource'>

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
      (name.startsWith('requests.') && name.slice('requests.'.length).includes('/'))
    )
  if (resource === 'services') return ['services', 'services.nodeports', 'services.loadbalancers'].includes(name)
  if (resource === 'persistentvolumeclaims')
    return name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes(STORAGE_CLASS_SUFFIX)
  return PLAIN_NAMES.has(resource) && name === resource
}

export function usageOf(kind: Counted, object: KubernetesObject, nowMs: number): Amounts {
  const counted = { [countName(kind)]: '1' }
  if (kind.group !== '') return counted
  if (kind.resource === 'pods') return { ...counted, ...(isOver(object as Pod, nowMs) ? {} : podUsage(object as Pod)) }
  if (kind.resource === 'services') return { ...counted, ...serviceUsage(object as Service) }
  if (kind.resource === 'persistentvolumeclaims') return { ...counted, ...claimUsage(object as PersistentVolumeClaim) }
  return PLAIN_NAMES.has(kind.resource) ? { ...counted, [kind.resource]: '1' } : counted
}

/** Ended, or past its grace period on a node that does not answer. */
function isOver({ metadata, status }: Pod, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true
  if (metadata.deletionTimestamp === undefined || metadata.deletionGracePeriodSeconds === undefined) return false
  return nowMs > Date.parse(metadata.deletionTimestamp) + metadata.deletionGracePeriodSeconds * 1000
}

function podUsage({ spec }: Pod): Amounts {
  const overhead = spec.overhead ?? {}
  const own = spec.resources
  const requests = addAmounts({ ...aggregateResources(spec, 'requests'), ...own?.requests }, overhead)
  const limits = { ...aggregateResources(spec, 'limits'), ...own?.limits }
  const withOverhead = Object.fromEntries(Object.entries(overhead).filter(([name]) => limits[name] !== undefined))
  return { pods: '1', ...computeUsage(requests, addAmounts(limits, withOverhead)) }
}

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']

/** Amounts under the names that quotas have for them. */
export function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Record<string, string> = {}
  for (const [name, amount] of Object.entries(requests)) {
    const isExtended = !COMPUTE.includes(name) && !name.startsWith('hugepages-')
    if (!isExtended) usage[name] = amount
    if (!isExtended || name.includes('/')) usage[`requests.${name}`] = amount
  }
  for (const name of COMPUTE) if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name]
  return usage
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

function claimUsage({ metadata, spec }: PersistentVolumeClaim): Amounts {
  const usage: Record<string, string> = { persistentvolumeclaims: '1' }
  const size = spec.resources?.requests?.['storage']
  const storageClass = metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? ''
  if (storageClass !== '') usage[`${storageClass}${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`] = '1'
  if (size === undefined) return usage
  usage['requests.storage'] = size
  if (storageClass !== '') usage[`${storageClass}${STORAGE_CLASS_SUFFIX}requests.storage`] = size
  return usage
}
