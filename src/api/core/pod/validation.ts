/** Checks new pods. */
import type { Pod } from '#api/core/v1.gen.ts'
import { validatePodAnnotations, validateProfilesMatch } from '#api/core/pod-spec/annotations.ts'
import { validateImageSpaces } from '#api/core/pod-spec/containers.ts'
import { type PodValidationOptions, podValidationOptions } from '#api/core/pod-spec/options.ts'
import { validatePodSpec } from '#api/core/pod-spec/validation.ts'
import type { StrategyContext } from '#api/kind.ts'
import { checkNonNegative } from '#api/validation.ts'
import { type FieldError, forbiddenField } from '#machinery/field-error.ts'

export function validatePod(pod: Pod, { features }: StrategyContext): FieldError[] {
  const errors: FieldError[] = []
  const { metadata, spec } = pod
  validatePodContent(errors, pod, podValidationOptions(null, true, features))
  if ((spec.ephemeralContainers ?? []).length > 0)
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
  if ((spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0)
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  validateProfilesMatch(errors, { metadata, spec, path: 'spec' })
  return errors
}

/** What holds for a pod at any time: annotations and spec. */
export function validatePodContent(errors: FieldError[], pod: Pod, options: PodValidationOptions): void {
  const { metadata, spec } = pod
  validatePodAnnotations(errors, metadata.annotations, { ...options, spec, path: 'metadata.annotations' })
  validatePodSpec(errors, spec, { path: 'spec', meta: metadata, options })
  if ((spec.serviceAccountName ?? '') === '') validateNoTokens(errors, pod)
  checkNonNegative(errors, 'spec.terminationGracePeriodSeconds', spec.terminationGracePeriodSeconds)
  spec.containers?.forEach((container, i) => validateImageSpaces(errors, container, `spec.containers[${i}]`))
  spec.initContainers?.forEach((container, i) => validateImageSpaces(errors, container, `spec.initContainers[${i}]`))
}

/** A token is somebody's: a pod without a service account has none. */
function validateNoTokens(errors: FieldError[], { spec }: Pod): void {
  for (const [i, { projected }] of (spec.volumes ?? []).entries())
    for (const [j, { serviceAccountToken }] of (projected?.sources ?? []).entries())
      if (serviceAccountToken !== undefined) {
        const path = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`
        errors.push(forbiddenField(path, 'must not be specified when serviceAccountName is not set'))
      }
}
