/** Checks the spec of a pod or of a pod template, part by part in upstream's order. */
import type { PodResourceClaim, PodSpec, PodTemplateSpec } from '#api/core/v1.gen.ts'
import {
  checkAnnotations,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabels,
  checkPresent,
  checkQualifiedName,
  checkRange,
  checkRequiredEnum,
} from '#api/validation.ts'
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { validateAffinity } from './affinity.ts'
import { MIRROR_ANNOTATION, validatePodAnnotations, validateProfilesMatch } from './annotations.ts'
import { validateHostNetworkPorts } from './container-ports.ts'
import { visitContainers } from './containers-of.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import { validateDnsConfig, validateHostAliases, validateHostnameOverride } from './dns.ts'
import { validateHostUsers } from './host-users.ts'
import type { PodValidationOptions } from './options.ts'
import { validatePodResources } from './pod-resources.ts'
import { validateContainerResources } from './resources.ts'
import { validateEvictionResponders } from './eviction-responders.ts'
import { validatePodSecurityContext } from './security-context.ts'
import { validateTolerations } from './tolerations.ts'
import { validateTopologySpread } from './topology-spread.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcess, validateOperatingSystem } from './windows.ts'

export const RESTART_POLICIES: readonly string[] = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTION_POLICIES = ['Never', 'PreemptLowerPriority']
const DEADLINE_SECONDS = [1, 2_147_483_647] as const

export type PodSpecPlace = {
  readonly path: string
  /** Metadata of the pod; undefined for a template. */
  readonly meta: TemplateMeta | undefined
  readonly options: PodValidationOptions
}

export function validatePodSpec(errors: FieldError[], spec: PodSpec, { path, meta, options }: PodSpecPlace): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`))
  const volumes = validateVolumes(errors, spec.volumes ?? [], { ...options, path: `${path}.volumes`, meta })
  const claimNames = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean))
  validateResourceClaims(errors, spec.resourceClaims ?? [], { path: `${path}.resourceClaims`, meta })
  const context = { spec, volumes, claimNames, options }
  validateContainers(errors, context, `${path}.containers`)
  validateInitContainers(errors, context, `${path}.initContainers`)
  validateEphemeralContainers(errors, context, `${path}.ephemeralContainers`)
  const { allowIndivisibleHugePages } = options
  validatePodResources(errors, spec, { path: `${path}.resources`, claimNames, allowIndivisibleHugePages })
  validateHostNetworkPorts(errors, spec, { path, isPod: options.isPod })
  checkRequiredEnum(errors, `${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES)
  checkRequiredEnum(errors, `${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES)
  checkLabels(errors, `${path}.nodeSelector`, spec.nodeSelector)
  validatePodSecurityContext(errors, spec, { ...options, path: `${path}.securityContext` })
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const text = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, text))
  }
  validatePlacement(errors, spec, { path, meta, options })
  validateNames(errors, spec, path)
  validatePolicies(errors, spec, { path, meta, options })
  validateOperatingSystem(errors, spec, path)
  if (spec.schedulingGroup !== undefined) validateSchedulingGroup(errors, spec, path)
  validateFileKeyVolumes(errors, spec, path)
  validateEvictionResponders(errors, spec.evictionResponders ?? [], `${path}.evictionResponders`)
}

/** Where the pod may run, and how it resolves names. */
function validatePlacement(errors: FieldError[], spec: PodSpec, { path, options }: PodSpecPlace): void {
  validateAffinity(errors, spec.affinity, { ...options, path: `${path}.affinity` })
  validateDnsConfig(errors, spec, `${path}.dnsConfig`)
  for (const [i, { conditionType = '' }] of (spec.readinessGates ?? []).entries())
    checkQualifiedName(errors, `${path}.readinessGates[${i}].conditionType`, conditionType)
  validateSchedulingGates(errors, spec, `${path}.schedulingGates`)
  validateTopologySpread(errors, spec.topologySpreadConstraints ?? [], {
    path: `${path}.topologySpreadConstraints`,
    allowInvalidSelector: options.allowInvalidSpreadSelector,
    hasOldMatchLabelKeys: options.hasOldMatchLabelKeys,
  })
  validateHostProcess(errors, spec, path)
  validateHostUsers(errors, spec, { path, options })
  validateHostnameOverride(errors, spec, path)
}

function validateSchedulingGates(errors: FieldError[], { schedulingGates = [] }: PodSpec, path: string): void {
  const seen = new Set<string>()
  for (const [i, { name = '' }] of schedulingGates.entries()) {
    checkQualifiedName(errors, `${path}[${i}]`, name)
    if (seen.has(name)) errors.push(duplicate(`${path}[${i}]`, name))
    seen.add(name)
  }
}

/** Names of other objects, and of the host. */
function validateNames(errors: FieldError[], spec: PodSpec, path: string): void {
  const { serviceAccountName = '', serviceAccount = '', nodeName = '', hostname = '', subdomain = '' } = spec
  if (serviceAccountName !== '') checkDnsSubdomain(errors, `${path}.serviceAccountName`, serviceAccountName)
  if (serviceAccount !== serviceAccountName) {
    const text = `must be the same as serviceAccountName: ${JSON.stringify(serviceAccountName)}`
    errors.push(invalidValue(`${path}.deprecatedServiceAccount`, serviceAccount, text))
  }
  if (nodeName !== '') checkDnsSubdomain(errors, `${path}.nodeName`, nodeName)
  if (spec.activeDeadlineSeconds !== undefined)
    checkRange(errors, `${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, DEADLINE_SECONDS)
  if (hostname !== '') checkDnsLabel(errors, `${path}.hostname`, hostname)
  if (subdomain !== '') checkDnsLabel(errors, `${path}.subdomain`, subdomain)
}

function validatePolicies(errors: FieldError[], spec: PodSpec, { path, options }: PodSpecPlace): void {
  const { priorityClassName = '', runtimeClassName, preemptionPolicy, overhead } = spec
  const { allowComparison, allowIndivisibleHugePages } = options
  validateTolerations(errors, spec.tolerations ?? [], { path: `${path}.tolerations`, allowComparison })
  validateHostAliases(errors, spec.hostAliases ?? [], `${path}.hostAliases`)
  if (priorityClassName !== '') checkDnsSubdomain(errors, `${path}.priorityClassName`, priorityClassName)
  if (runtimeClassName !== undefined) checkDnsSubdomain(errors, `${path}.runtimeClassName`, runtimeClassName)
  if (preemptionPolicy !== undefined)
    checkRequiredEnum(errors, `${path}.preemptionPolicy`, preemptionPolicy, PREEMPTION_POLICIES)
  if (overhead === undefined) return
  const place = { path: `${path}.overhead`, claimNames: new Set<string>(), allowIndivisibleHugePages }
  validateContainerResources(errors, { limits: overhead }, place)
}

type ClaimsPlace = { readonly path: string; readonly meta: TemplateMeta | undefined }

function validateResourceClaims(errors: FieldError[], claims: readonly PodResourceClaim[], at: ClaimsPlace): void {
  const names = new Set<string>()
  for (const [i, claim] of claims.entries()) {
    if (at.meta?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
      errors.push(forbiddenField('', 'static pods do not support resource claims'))
      continue
    }
    validateResourceClaim(errors, claim, { path: `${at.path}[${i}]`, names })
  }
}

function validateResourceClaim(
  errors: FieldError[],
  claim: PodResourceClaim,
  { path, names }: { readonly path: string; readonly names: Set<string> },
): void {
  const { name, resourceClaimName, resourceClaimTemplateName } = claim
  if (checkPresent(errors, `${path}.name`, name)) {
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    else checkDnsLabel(errors, `${path}.name`, name)
    names.add(name)
  }
  if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
    const text = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
    errors.push(invalidValue(path, claim, text))
  }
  if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
    errors.push(invalidValue(path, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
  if (resourceClaimName !== undefined) checkDnsSubdomain(errors, `${path}.resourceClaimName`, resourceClaimName)
  if (resourceClaimTemplateName !== undefined)
    checkDnsSubdomain(errors, `${path}.resourceClaimTemplateName`, resourceClaimTemplateName)
}

function validateSchedulingGroup(
  errors: FieldError[],
  { schedulingGroup, evictionResponders = [] }: PodSpec,
  path: string,
): void {
  const name = schedulingGroup?.podGroupName
  const place = `${path}.schedulingGroup.podGroupName`
  if (name === undefined) errors.push(invalidValue(place, name, 'must specify one of: `podGroupName`'))
  else checkDnsSubdomain(errors, place, name)
  if (evictionResponders.length > 0)
    errors.push(forbiddenField(`${path}.schedulingGroup`, 'may not be set when evictionResponders is set'))
}

/** Environment variables from files: the files are in an emptyDir of the pod. */
function validateFileKeyVolumes(errors: FieldError[], spec: PodSpec, path: string): void {
  visitContainers(spec, path, ({ env = [] }, place) => {
    for (const [i, { valueFrom }] of env.entries()) {
      const volumeName = valueFrom?.fileKeyRef?.volumeName
      if (volumeName === undefined) continue
      const volume = spec.volumes?.find(({ name }) => name === volumeName)
      const at = `${place}.env[${i}].valueFrom.fileKeyRef.volumeName`
      if (volume === undefined)
        errors.push({ type: 'FieldValueNotFound', field: at, message: `Not found: ${JSON.stringify(volumeName)}` })
      else if (volume.emptyDir === undefined)
        errors.push(invalidValue(at, volumeName, 'referenced volume must be of type emptyDir'))
    }
  })
}

export type TemplatePlace = { readonly path: string; readonly options: PodValidationOptions }

export function validatePodTemplateSpec(
  errors: FieldError[],
  template: PodTemplateSpec,
  { path, options }: TemplatePlace,
): void {
  const { metadata } = template
  const spec = template.spec ?? { containers: [] }
  checkLabels(errors, `${path}.labels`, metadata?.labels)
  checkAnnotations(errors, `${path}.annotations`, metadata?.annotations)
  validatePodAnnotations(errors, metadata?.annotations, { ...options, spec, path: `${path}.annotations` })
  validatePodSpec(errors, spec, { path: `${path}.spec`, meta: undefined, options })
  validateProfilesMatch(errors, { metadata, spec, path: `${path}.spec` })
  if ((spec.ephemeralContainers ?? []).length > 0)
    errors.push(forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
}
