/** Whether an object is among those that a ResourceQuota is limited to by its scopes. Pure. */
import type { PersistentVolumeClaim, Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '#api/core/v1.gen.ts'
import { attributesClassesOf } from '#api/core/persistent-volume-claim/attributes-classes.ts'
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
  switch (scope.scopeName) {
    case 'Terminating':
      return isTerminating(spec)
    case 'NotTerminating':
      return !isTerminating(spec)
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

/** Bound to end by itself. */
export function isTerminating({ activeDeadlineSeconds }: Pod['spec']): boolean {
  return (activeDeadlineSeconds ?? -1) >= 0
}

function isClaimInScope(claim: PersistentVolumeClaim, scope: ScopedResourceSelectorRequirement): boolean {
  return scope.scopeName === 'VolumeAttributesClass' && satisfies(attributesClassesOf(claim), scope)
}

function satisfies(
  values: readonly string[],
  { operator, values: wanted = [] }: ScopedResourceSelectorRequirement,
): boolean {
  switch (operator) {
    case 'Exists':
      return values.length > 0
    case 'DoesNotExist':
      return values.length === 0
    case 'In':
      return values.some((value) => wanted.includes(value))
    case 'NotIn':
      return values.length === 0 || values.some((value) => !wanted.includes(value))
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
