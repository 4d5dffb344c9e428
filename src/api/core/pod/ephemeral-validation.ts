/** Checks writes of the subresource ephemeralcontainers: containers are added, never changed or removed. */
import type { EphemeralContainer, Pod } from '#api/core/v1.gen.ts'
import { MIRROR_ANNOTATION, validateAnnotationUpdates } from '#api/core/pod-spec/annotations.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { podValidationOptions } from '#api/core/pod-spec/options.ts'
import { diffAsGo } from '#api/go-values/show-as-go.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { type FieldError, forbiddenField } from '#machinery/field-error.ts'
import { validatePodContent } from './validation.ts'

export function validateEphemeralContainersUpdate(pod: Pod, old: Pod, features: FeatureGates): FieldError[] {
  if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined)
    return [forbiddenField('', 'static pods do not support ephemeral containers')]
  const errors: FieldError[] = []
  validatePodContent(errors, pod, podValidationOptions(old, true, features))
  const path = 'metadata.annotations'
  validateAnnotationUpdates(errors, pod.metadata.annotations, { old: old.metadata.annotations, path })
  const now = new Map<string, EphemeralContainer>()
  for (const container of pod.spec.ephemeralContainers ?? []) now.set(container.name, container)
  for (const before of old.spec.ephemeralContainers ?? []) {
    const container = now.get(before.name)
    const subject = `existing ephemeral containers ${JSON.stringify(before.name)} may not be`
    if (container === undefined) errors.push(forbiddenField('spec.ephemeralContainers', `${subject} removed\n`))
    else if (!isSemanticallyEqual(before, container)) {
      const text = `${subject} changed\n${diffAsGo('io.k8s.api.core.v1.EphemeralContainer', before, container)}`
      errors.push(forbiddenField('spec.ephemeralContainers', text))
    }
  }
  return errors
}
