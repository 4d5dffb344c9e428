/** Checks ReplicaSets. */
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { checkNonNegative } from '#api/validation.ts'
import {
  checkSelectorImmutable,
  invalidSelector,
  tryMatcherOf,
  validateReplicaCounts,
  validateRunningTemplate,
  validateSelector,
} from '#api/workload/validation.ts'
import type { FieldError } from '#machinery/field-error.ts'

type Context = { readonly old: ReplicaSet | null; readonly options: PodValidationOptions }

export function validateReplicaSet(errors: FieldError[], { spec }: ReplicaSet, { old, options }: Context): void {
  checkNonNegative(errors, 'spec.replicas', spec.replicas)
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds)
  // Upstream's text names Deployments here as well.
  validateSelector(errors, spec.selector, { path: 'spec.selector', kind: 'deployment' })
  const matcher = tryMatcherOf(spec.selector)
  if (matcher === null) errors.push(invalidSelector(spec.selector, 'invalid label selector'))
  else validateRunningTemplate(errors, spec.template, { path: 'spec.template', options, kind: 'ReplicaSet', matcher })
  if (old !== null) checkSelectorImmutable(errors, [spec.selector, old.spec.selector])
}

export function validateReplicaSetStatus(errors: FieldError[], { status }: ReplicaSet): void {
  const { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas } = status ?? { replicas: 0 }
  const { observedGeneration, terminatingReplicas } = status ?? {}
  validateReplicaCounts(
    errors,
    { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration, terminatingReplicas },
    { parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], readyText: 'readyReplicas' },
  )
}
