/** Checks StatefulSets. */
import type {
  RollingUpdateStatefulSetStrategy,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetUpdateStrategy,
} from '#api/apps/v1.gen.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { validatePodAnnotations } from '#api/core/pod-spec/annotations.ts'
import { validateClaimSpec } from '#api/core/pod-spec/claim-template.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { validatePodTemplateSpec } from '#api/core/pod-spec/validation.ts'
import type { PodTemplateSpec, Volume } from '#api/core/v1.gen.ts'
import { checkAnnotations, checkDnsLabel, checkLabels, checkNonNegative } from '#api/validation.ts'
import {
  checkAtMost100Percent,
  checkImmutable,
  checkIntOrPercent,
  checkNotDecremented,
  checkSelectorImmutable,
  checkTemplateLabels,
  invalidSelector,
  numberOf,
  tryMatcherOf,
  validateAlwaysRestarts,
  validateReplicaCounts,
  validateSelector,
} from '#api/workload/validation.ts'
import { type FieldError, invalidValue, notSupportedInOrder, required } from '#machinery/field-error.ts'

type Context = {
  readonly old: StatefulSet | null
  readonly options: PodValidationOptions
  readonly features: FeatureGates
}
type SpecContext = {
  readonly isUpdate: boolean
  readonly skipsTemplate: boolean
  readonly mayRecreate: boolean
  readonly options: PodValidationOptions
}

export function validateStatefulSet(
  errors: FieldError[],
  { spec }: StatefulSet,
  { old, options, features }: Context,
): void {
  const isUpdate = old !== null
  // A template that was never valid must not block other changes.
  const skipsTemplate = isUpdate && isInvalid(old, options)
  const mayRecreate = features.isEnabled('StatefulSetRecreateStrategy') || old?.spec.updateStrategy?.type === 'Recreate'
  validateSpec(errors, spec, { isUpdate, skipsTemplate, mayRecreate, options })
  if (!isUpdate) return
  checkSelectorImmutable(errors, [spec.selector, old.spec.selector])
  checkImmutable(errors, 'spec.volumeClaimTemplates', [spec.volumeClaimTemplates, old.spec.volumeClaimTemplates])
  checkImmutable(errors, 'spec.serviceName', [spec.serviceName ?? '', old.spec.serviceName ?? ''])
  checkImmutable(errors, 'spec.podManagementPolicy', [spec.podManagementPolicy, old.spec.podManagementPolicy])
}

function isInvalid({ spec }: StatefulSet, options: PodValidationOptions): boolean {
  const errors: FieldError[] = []
  validateSpec(errors, spec, { isUpdate: true, skipsTemplate: false, mayRecreate: true, options })
  return errors.length > 0
}

function validateSpec(errors: FieldError[], spec: StatefulSetSpec, context: SpecContext): void {
  const policy = spec.podManagementPolicy ?? ''
  if (policy === '') errors.push(required('spec.podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    errors.push(invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"))
  const { mayRecreate } = context
  validateUpdateStrategy(errors, spec.updateStrategy ?? {}, { path: 'spec.updateStrategy', mayRecreate })
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const value = spec.persistentVolumeClaimRetentionPolicy?.[field] ?? ''
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`
    if (value !== 'Retain' && value !== 'Delete') errors.push(notSupportedInOrder(path, value, ['Retain', 'Delete']))
  }
  if (!context.isUpdate)
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries())
      validateClaimSpec(errors, claim.spec, { path: `spec.volumeClaimTemplates[${i}].spec` })
  checkNonNegative(errors, 'spec.replicas', spec.replicas)
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds)
  checkNonNegative(errors, 'spec.ordinals.start', spec.ordinals?.start)
  const { serviceName = '' } = spec
  if (!context.isUpdate && serviceName !== '') checkDnsLabel(errors, 'spec.serviceName', serviceName)
  validateSelector(errors, spec.selector, { path: 'spec.selector', kind: 'statefulset' })
  const matcher = tryMatcherOf(spec.selector)
  if (matcher === null) errors.push(invalidSelector(spec.selector, ''))
  else {
    checkTemplateLabels(errors, spec.template, { path: 'spec.template', matcher })
    validateTemplate(errors, templateOfPods(spec), context)
  }
  validateAlwaysRestarts(errors, spec.template, { path: 'spec.template', kind: 'StatefulSet' })
}

function validateTemplate(
  errors: FieldError[],
  template: PodTemplateSpec,
  { skipsTemplate, options }: SpecContext,
): void {
  const path = 'spec.template'
  if (!skipsTemplate) validatePodTemplateSpec(errors, template, { path, options })
  const { metadata, spec = { containers: [] } } = template
  // Upstream looks at labels and annotations once more.
  checkLabels(errors, `${path}.labels`, metadata?.labels)
  checkAnnotations(errors, `${path}.annotations`, metadata?.annotations)
  validatePodAnnotations(errors, metadata?.annotations, { ...options, spec, path: `${path}.annotations` })
}

/** The controller sets host names itself, and adds a volume for each claim template. */
function templateOfPods({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const { hostname: _hostname, subdomain: _subdomain, ...spec } = template.spec ?? { containers: [] }
  const claims: Volume[] = volumeClaimTemplates.map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }))
  const others = (spec.volumes ?? []).filter(({ name }) => !claims.some((claim) => claim.name === name))
  return { ...template, spec: { ...spec, volumes: [...claims, ...others] } }
}

type StrategyPlace = { readonly path: string; readonly mayRecreate: boolean }

function validateUpdateStrategy(
  errors: FieldError[],
  strategy: StatefulSetUpdateStrategy,
  { path, mayRecreate }: StrategyPlace,
): void {
  const { type = '', rollingUpdate } = strategy
  if (type === '') errors.push(required(path))
  else if (type === 'OnDelete' || (mayRecreate && type === 'Recreate')) {
    if (rollingUpdate !== undefined)
      errors.push(
        invalidValue(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"),
      )
  } else if (type === 'RollingUpdate') {
    if (rollingUpdate !== undefined) validateRollingUpdate(errors, rollingUpdate, `${path}.rollingUpdate`)
  } else {
    const types = mayRecreate ? "'RollingUpdate', 'OnDelete', or 'Recreate'" : "'RollingUpdate' or 'OnDelete'"
    errors.push(invalidValue(path, strategy, `must be ${types}`))
  }
}

function validateRollingUpdate(
  errors: FieldError[],
  rollingUpdate: RollingUpdateStatefulSetStrategy,
  path: string,
): void {
  checkNonNegative(errors, `${path}.partition`, rollingUpdate.partition)
  const { maxUnavailable } = rollingUpdate
  if (maxUnavailable === undefined) return
  const place = `${path}.maxUnavailable`
  checkIntOrPercent(errors, place, maxUnavailable)
  if (numberOf(maxUnavailable) === 0) errors.push(invalidValue(place, maxUnavailable, 'cannot be 0'))
  checkAtMost100Percent(errors, place, maxUnavailable)
}

export function validateStatefulSetStatus(errors: FieldError[], { status }: StatefulSet, old: StatefulSet): void {
  const { replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas } = status ?? { replicas: 0 }
  const { observedGeneration, collisionCount } = status ?? {}
  const counts = { replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas }
  validateReplicaCounts(
    errors,
    { ...counts, observedGeneration, collisionCount },
    {
      parts: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
      readyText: 'status.readyReplicas',
    },
  )
  checkNotDecremented(errors, 'status.collisionCount', [collisionCount, old.status?.collisionCount])
}
