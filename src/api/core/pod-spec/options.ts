/** What an update may keep although a new object may not have it: derived from the object as it is stored. */
import type { PodSpec } from '#api/core/v1.gen.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import type { FieldError } from '#machinery/field-error.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { hasInvalidLabelValue, validateLabelSelector } from '#machinery/validation/label-selector.ts'
import { isValidLabelValue } from '#machinery/validation/names.ts'
import { parseDeletionCost } from './annotations.ts'
import { isSidecar, someContainer } from './containers-of.ts'
import { validateMatchLabelKeys } from './match-label-keys.ts'
import { checkNonReservedPath } from './paths.ts'
import { isHugePages } from './resource-names.ts'
import { isMultipleOfPage } from './resources.ts'
import { hostSysctlConflict } from './security-context.ts'

export type PodValidationOptions = {
  /** The spec of a pod, not that of a template. */
  readonly isPod: boolean
  readonly allowInvalidDeletionCost: boolean
  readonly allowInvalidSelectorValues: boolean
  readonly allowInvalidNodeValues: boolean
  readonly allowIndivisibleHugePages: boolean
  readonly allowInvalidSpreadSelector: boolean
  readonly hasOldMatchLabelKeys: boolean
  readonly allowNonLocalTokenPath: boolean
  readonly allowEmptyImageReference: boolean
  readonly allowHostSysctls: boolean
  readonly allowComparison: boolean
  readonly allowHostNetworkWithUserNamespace: boolean
  readonly allowDevicesWithUserNamespace: boolean
  readonly allowRestartingInitResize: boolean
  readonly allowSysAdmin: boolean
  /** A rule may restart all containers, also one of a sidecar. */
  readonly allowRestartAllContainers: boolean
  /** Volumes are relabelled file by file: without the feature there is no other way. */
  readonly onlyRecursiveSeLinuxChange: boolean
}

/** Nothing is tolerated in a new object but what a feature brings. */
const STRICT = {
  allowInvalidSelectorValues: false,
  allowInvalidNodeValues: false,
  allowIndivisibleHugePages: false,
  allowInvalidSpreadSelector: false,
  hasOldMatchLabelKeys: false,
  allowNonLocalTokenPath: false,
  allowEmptyImageReference: false,
  allowHostSysctls: false,
  allowDevicesWithUserNamespace: false,
  allowRestartingInitResize: false,
  allowSysAdmin: false,
}

export type OldPod = { readonly spec?: PodSpec; readonly metadata?: TemplateMeta }

/** Options for a pod (`isPod`) or a template, given the object as it was; null on create. */
export function podValidationOptions(old: OldPod | null, isPod: boolean, features: FeatureGates): PodValidationOptions {
  const spec = old?.spec
  const byFeatures = featureOptions(features)
  if (spec === undefined) return { ...STRICT, ...byFeatures, isPod }
  const usesUserNamespace = spec.hostUsers === false
  return {
    ...byFeatures,
    isPod,
    allowInvalidDeletionCost:
      byFeatures.allowInvalidDeletionCost || parseDeletionCost(old?.metadata?.annotations) === null,
    allowInvalidSelectorValues: affinitySelectors(spec).some(hasInvalidLabelValue),
    allowInvalidNodeValues: hasInvalidNodeValue(spec),
    allowIndivisibleHugePages: hasIndivisibleHugePages(spec),
    allowInvalidSpreadSelector: (spec.topologySpreadConstraints ?? []).some(
      ({ labelSelector }) => validateLabelSelector(labelSelector, '').length > 0,
    ),
    hasOldMatchLabelKeys: (spec.topologySpreadConstraints ?? []).some((constraint) =>
      hasErrors((errors) => validateMatchLabelKeys(errors, constraint, '')),
    ),
    allowNonLocalTokenPath: hasNonLocalTokenPath(spec),
    allowEmptyImageReference: (spec.volumes ?? []).some(({ image }) => image !== undefined && !image.reference),
    allowHostSysctls: (spec.securityContext?.sysctls ?? []).some(({ name }) => hostSysctlConflict(name, spec) !== ''),
    allowComparison:
      byFeatures.allowComparison ||
      (spec.tolerations ?? []).some(({ operator }) => operator === 'Lt' || operator === 'Gt'),
    allowHostNetworkWithUserNamespace:
      byFeatures.allowHostNetworkWithUserNamespace || (usesUserNamespace && spec.hostNetwork === true),
    onlyRecursiveSeLinuxChange:
      byFeatures.onlyRecursiveSeLinuxChange && spec.securityContext?.seLinuxChangePolicy === undefined,
    allowDevicesWithUserNamespace:
      usesUserNamespace && someContainer(spec, ({ volumeDevices = [] }) => volumeDevices.length > 0),
    allowRestartingInitResize: (spec.initContainers ?? []).some(
      (container) =>
        !isSidecar(container) && container.resizePolicy?.some((policy) => policy.restartPolicy === 'RestartContainer'),
    ),
    allowSysAdmin: someContainer(
      spec,
      ({ securityContext }) =>
        securityContext?.allowPrivilegeEscalation !== true &&
        (securityContext?.capabilities?.add?.includes('CAP_SYS_ADMIN') ?? false),
    ),
  }
}

type FeatureOptions = Pick<
  PodValidationOptions,
  | 'allowInvalidDeletionCost'
  | 'allowComparison'
  | 'allowHostNetworkWithUserNamespace'
  | 'allowRestartAllContainers'
  | 'onlyRecursiveSeLinuxChange'
>

function featureOptions(features: FeatureGates): FeatureOptions {
  return {
    allowInvalidDeletionCost: !features.isEnabled('PodDeletionCost'),
    allowComparison: features.isEnabled('TaintTolerationComparisonOperators'),
    allowHostNetworkWithUserNamespace: features.isEnabled('UserNamespacesHostNetworkSupport'),
    allowRestartAllContainers: features.isEnabled('RestartAllContainersOnContainerExits'),
    onlyRecursiveSeLinuxChange: !features.isEnabled('SELinuxMount'),
  }
}

function hasErrors(check: (errors: FieldError[]) => void): boolean {
  const errors: FieldError[] = []
  check(errors)
  return errors.length > 0
}

function affinitySelectors({ affinity }: PodSpec): Parameters<typeof hasInvalidLabelValue>[0][] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((part) => [
    ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.labelSelector),
    ...(part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm?.labelSelector),
  ])
}

function hasInvalidNodeValue({ affinity }: PodSpec): boolean {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return (required?.nodeSelectorTerms ?? []).some((term) =>
    (term.matchExpressions ?? []).some(({ values = [] }) =>
      values.some((value) => isValidLabelValue(value).length > 0),
    ),
  )
}

function hasIndivisibleHugePages(spec: PodSpec): boolean {
  const isIndivisible = (amounts: Record<string, string> | undefined): boolean =>
    Object.entries(amounts ?? {}).some(([name, amount]) => isHugePages(name) && !isMultipleOfPage(name, amount))
  return (
    isIndivisible(spec.overhead) ||
    someContainer(spec, ({ resources }) => isIndivisible(resources?.limits) || isIndivisible(resources?.requests))
  )
}

function hasNonLocalTokenPath({ volumes = [] }: PodSpec): boolean {
  return volumes
    .flatMap((volume) => volume.projected?.sources ?? [])
    .some(
      ({ serviceAccountToken: token }) =>
        token !== undefined && hasErrors((errors) => checkNonReservedPath(errors, '', token.path ?? '')),
    )
}
