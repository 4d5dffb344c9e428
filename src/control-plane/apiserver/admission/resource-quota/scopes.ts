/** Whether an object is among those that a ResourceQuota is limited to by its scopes. Pure. */
import type { PersistentVolumeClaim, Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '#api/core/v1.gen.ts'
import { computeQosClass } from '#api/core/pod/qos.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

export function isInScopes(
  { spec }: ResourceQuota,
  { group, resource }: Pick<KindDefinition, 'group' | 'resource'>,
  object: KubernetesObject,
): boolean {
  const scopes: ScopedResourceSelectorRequirement[] = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ]
  if (group === '' && resource === 'pods') return scopes.every((scope) => isPodInScope(object as Pod, scope))
  if (group === '' && resource === 'persistentvolumeclaims')
    return scopes.every((scope) => isClaimInScope(object as PersistentVolumeClaim, scope))
  return scopes.length === 0
}

function isPodInScope({ spec }: Pod, scope: ScopedResourceSelectorRequirement): boolean {
  const isTerminating = (spec.activeDeadlineSeconds ?? -1) >= 0
  switch (scope.scopeName) {
    case 'Terminating':
      return isTerminating
    case 'NotTerminating':
      return !isTerminating
    case 'BestEffort':
      return computeQosClass(spec) === 'BestEffort'
    case 'NotBestEffort':
      return computeQosClass(spec) !== 'BestEffort'
    case 'PriorityClass':
      return satisfies([spec.priorityClassName ?? ''].filter(Boolean), scope)
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(spec)
    default:
      return false
  }
}

function isClaimInScope({ spec, status }: PersistentVolumeClaim, scope: ScopedResourceSelectorRequirement): boolean {
  if (scope.scopeName !== 'VolumeAttributesClass') return false
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return satisfies(names.filter((name) => name !== undefined && name !== null && name !== '') as string[], scope)
}

function satisfies(
  values: readonly string[],
  { operator, values: wanted = [] }: ScopedResourceSelectorRequirement,
): boolean {
  const isAmong = values.some((value) => wanted.includes(value))
  switch (operator) {
    case 'Exists':
      return values.length > 0
    case 'DoesNotExist':
      return values.length === 0
    case 'In':
      return isAmong
    case 'NotIn':
      return !isAmong
    default:
      return false
  }
}

type AffinityTerm = { readonly namespaces?: readonly string[]; readonly namespaceSelector?: unknown }

function reachesOtherNamespaces({ affinity }: Pod['spec']): boolean {
  const isWide = ({ namespaces, namespaceSelector }: AffinityTerm): boolean =>
    (namespaces?.length ?? 0) > 0 || (namespaceSelector !== undefined && namespaceSelector !== null)
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some(
    (rules) =>
      (rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(isWide) ||
      (rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).some(({ podAffinityTerm }) =>
        isWide(podAffinityTerm),
      ),
  )
}
