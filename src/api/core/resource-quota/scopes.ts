/** Whether an object is among those that a ResourceQuota is limited to by its scopes. Pure. */
import type { PersistentVolumeClaim, Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '#api/core/v1.gen.ts'
import { attributesClassesOf } from '#api/core/persistent-volume-claim/attributes-classes.ts'
import { computeQosClass } from '#api/core/pod/qos.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

type Kind = Pick<KindDefinition, 'group' | 'resource'>

export function isInScopes(quota: ResourceQuota, kind: Kind, object: KubernetesObject): boolean {
  return scopesOf(quota).every((scope) => isInScope(kind, object, scope))
}

export function scopesOf({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  return [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ]
}

/** Only pods and claims are in scopes at all. */
export function isInScope(
  { group, resource }: Kind,
  object: KubernetesObject,
  scope: ScopedResourceSelectorRequirement,
): boolean {
  if (group !== '') return false
  if (resource === 'pods') return isPodInScope(object as Pod, scope)
  return resource === 'persistentvolumeclaims' && isClaimInScope(object as PersistentVolumeClaim, scope)
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
