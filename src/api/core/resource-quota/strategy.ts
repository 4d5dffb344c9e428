/** How ResourceQuotas are prepared and checked: which resources and scopes there are, and which go together. */
import type { ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { validateResourceName } from '../pod-spec/resource-names.ts'
import { validateResourceAmount } from '../pod-spec/resources.ts'

const POD_RESOURCES = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const CLAIM_RESOURCES = ['persistentvolumeclaims', 'requests.storage']
const QUOTA_RESOURCES: ReadonlySet<string> = new Set([
  ...POD_RESOURCES,
  ...CLAIM_RESOURCES,
  'ephemeral-storage',
  'requests.ephemeral-storage',
  'limits.ephemeral-storage',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])

/** Scope -> the standard resources that it can tell apart. */
const SCOPES: ReadonlyMap<string, readonly string[]> = new Map([
  ['Terminating', POD_RESOURCES],
  ['NotTerminating', POD_RESOURCES],
  ['BestEffort', ['pods']],
  ['NotBestEffort', POD_RESOURCES],
  ['PriorityClass', POD_RESOURCES],
  ['CrossNamespacePodAffinity', POD_RESOURCES],
  ['VolumeAttributesClass', CLAIM_RESOURCES],
])
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const
/** Scopes without values: a pod is in it or not. */
const EXISTS_ONLY = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const EXISTS_TEXT =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

export const resourceQuotaStrategy: Strategy<ResourceQuota> = {
  ...specStatusStrategy<ResourceQuota>({ generation: false }),
  validate: ({ spec }) => validateSpec(spec ?? {}),
  validateUpdate(quota, old, { subresource }) {
    if (subresource === 'status') return validateStatus(quota)
    const errors = validateSpec(quota.spec ?? {})
    const scopes = new Set(quota.spec?.scopes)
    if (scopes.symmetricDifference(new Set(old.spec?.scopes)).size > 0)
      errors.push(invalidValue('spec.scopes', quota.spec?.scopes, 'field is immutable'))
    return errors
  },
}

function validateStatus({ metadata, status = {} }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = []
  if (!metadata.resourceVersion) errors.push(required('resourceVersion'))
  validateAmounts(errors, 'status.hard', status.hard)
  validateAmounts(errors, 'status.used', status.used)
  return errors
}

function validateSpec(spec: ResourceQuotaSpec): FieldError[] {
  const errors: FieldError[] = []
  validateAmounts(errors, 'spec.hard', spec.hard)
  validateScopes(errors, spec)
  const requirements = spec.scopeSelector?.matchExpressions ?? []
  for (const requirement of requirements) validateRequirement(errors, spec, requirement)
  validateConflicts(
    errors,
    spec,
    'spec.scopeSelector.matchExpressions',
    requirements.map(({ scopeName }) => scopeName),
  )
  return errors
}

function validateAmounts(
  errors: FieldError[],
  path: string,
  amounts: Readonly<Record<string, string>> | undefined,
): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const place = `${path}[${name}]`
    validateResourceName(errors, name, place)
    if (!name.includes('/') && !isQuotaResource(name))
      errors.push(invalidValue(place, name, 'must be a standard resource for quota'))
    validateResourceAmount(errors, name, amount, place)
  }
}

function isQuotaResource(name: string): boolean {
  return QUOTA_RESOURCES.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-')
}

function validateScopes(errors: FieldError[], spec: ResourceQuotaSpec): void {
  const { scopes = [] } = spec
  for (const scope of scopes) {
    if (!SCOPES.has(scope)) errors.push(invalidValue('spec.scopes', scopes, 'unsupported scope'))
    for (const _resource of unsupportedResources(scope, spec))
      errors.push(invalidValue('spec.scopes', scopes, 'unsupported scope applied to resource'))
  }
  validateConflicts(errors, spec, 'spec.scopes', scopes)
}

function unsupportedResources(scope: string, { hard = {} }: ResourceQuotaSpec): string[] {
  const supported = SCOPES.get(scope)
  if (supported === undefined) return []
  return Object.keys(hard).filter((name) => isQuotaResource(name) && !supported.includes(name))
}

function validateConflicts(
  errors: FieldError[],
  spec: ResourceQuotaSpec,
  path: string,
  scopes: readonly string[],
): void {
  for (const pair of CONFLICTS)
    if (pair.every((scope) => scopes.includes(scope)))
      errors.push(invalidValue(path, spec.scopes, 'conflicting scopes'))
}

function validateRequirement(
  errors: FieldError[],
  spec: ResourceQuotaSpec,
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
): void {
  const path = 'spec.scopeSelector.matchExpressions'
  if (!SCOPES.has(scopeName)) errors.push(invalidValue(`${path}.scopeName`, scopeName ?? '', 'unsupported scope'))
  for (const _resource of unsupportedResources(scopeName, spec))
    errors.push(invalidValue(path, spec.scopeSelector, 'unsupported scope applied to resource'))
  if (EXISTS_ONLY.includes(scopeName) && operator !== 'Exists')
    errors.push(invalidValue(`${path}.operator`, operator ?? '', EXISTS_TEXT))
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(
        required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
      )
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    if (values.length > 0) errors.push(invalidValue(`${path}.values`, values, text))
  } else errors.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
}
