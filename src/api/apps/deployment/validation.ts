/** Checks Deployments. */
import type { Deployment, DeploymentStrategy, RollingUpdateDeployment } from '#api/apps/v1.gen.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { checkNonNegative } from '#api/validation.ts'
import {
  checkAtMost100Percent,
  checkIntOrPercent,
  checkNotDecremented,
  checkSelectorImmutable,
  invalidSelector,
  numberOf,
  tryMatcherOf,
  validateReplicaCounts,
  validateRunningTemplate,
  validateSelector,
} from '#api/workload/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported } from '#machinery/field-error.ts'

type Context = { readonly old: Deployment | null; readonly options: PodValidationOptions }

export function validateDeployment(errors: FieldError[], { spec }: Deployment, { old, options }: Context): void {
  checkNonNegative(errors, 'spec.replicas', spec.replicas)
  validateSelector(errors, spec.selector, { path: 'spec.selector', kind: 'deployment' })
  const matcher = tryMatcherOf(spec.selector)
  if (matcher === null) errors.push(invalidSelector(spec.selector, 'invalid label selector'))
  else validateRunningTemplate(errors, spec.template, { path: 'spec.template', options, kind: 'ReplicaSet', matcher })
  validateStrategy(errors, spec.strategy ?? {}, 'spec.strategy')
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds)
  checkNonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit)
  const deadline = spec.progressDeadlineSeconds
  if (deadline !== undefined) {
    const path = 'spec.progressDeadlineSeconds'
    checkNonNegative(errors, path, deadline)
    if (deadline <= (spec.minReadySeconds ?? 0))
      errors.push(invalidValue(path, deadline, 'must be greater than minReadySeconds'))
  }
  if (old !== null) checkSelectorImmutable(errors, [spec.selector, old.spec.selector])
}

function validateStrategy(errors: FieldError[], strategy: DeploymentStrategy, path: string): void {
  const { type = '', rollingUpdate } = strategy
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined) {
      const text = "may not be specified when strategy `type` is 'Recreate'"
      errors.push(forbiddenField(`${path}.rollingUpdate`, text))
    }
  } else if (type === 'RollingUpdate') validateRollingUpdate(errors, rollingUpdate ?? {}, `${path}.rollingUpdate`)
  else errors.push(notSupported(path, strategy, ['Recreate', 'RollingUpdate']))
}

function validateRollingUpdate(errors: FieldError[], rollingUpdate: RollingUpdateDeployment, path: string): void {
  const { maxUnavailable, maxSurge } = rollingUpdate
  checkIntOrPercent(errors, `${path}.maxUnavailable`, maxUnavailable)
  checkIntOrPercent(errors, `${path}.maxSurge`, maxSurge)
  if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0)
    errors.push(invalidValue(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  checkAtMost100Percent(errors, `${path}.maxUnavailable`, maxUnavailable)
}

export function validateDeploymentStatus(errors: FieldError[], { status = {} }: Deployment, old: Deployment): void {
  const { observedGeneration, replicas, updatedReplicas, readyReplicas, availableReplicas } = status
  const { unavailableReplicas, terminatingReplicas, collisionCount } = status
  const counts = { observedGeneration, replicas, updatedReplicas, readyReplicas, availableReplicas }
  validateReplicaCounts(
    errors,
    { ...counts, unavailableReplicas, terminatingReplicas, collisionCount },
    { parts: ['updatedReplicas', 'readyReplicas', 'availableReplicas'], readyText: 'readyReplicas' },
  )
  checkNotDecremented(errors, 'status.collisionCount', [collisionCount, old.status?.collisionCount])
}
