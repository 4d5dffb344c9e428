/** Checks ReplicationControllers. */
import type { ReplicationController } from '#api/core/v1.gen.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { checkNonNegative } from '#api/validation.ts'
import { validateReplicaCounts, validateRunningTemplate } from '#api/workload/validation.ts'
import { type FieldError, required } from '#machinery/field-error.ts'
import { matcherOfLabels } from '#machinery/selectors/label-selector.ts'

type Context = { readonly options: PodValidationOptions }

export function validateReplicationController(
  errors: FieldError[],
  { spec }: ReplicationController,
  { options }: Context,
): void {
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds)
  const matcher = matcherOfLabels(spec.selector ?? {})
  if (matcher.isEmpty) errors.push(required('spec.selector'))
  checkNonNegative(errors, 'spec.replicas', spec.replicas)
  const place = { path: 'spec.template', options, kind: 'ReplicationController', matcher }
  validateRunningTemplate(errors, spec.template, place)
}

export function validateReplicationControllerStatus(errors: FieldError[], { status }: ReplicationController): void {
  const { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas } = status ?? { replicas: 0 }
  const counts = { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas }
  validateReplicaCounts(
    errors,
    { ...counts, observedGeneration: status?.observedGeneration },
    { parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], readyText: 'readyReplicas' },
  )
}
