/** What all kinds with a pod template share: status apart from spec, generations, options of updates, warnings. */
import type { FeatureGates } from '#base/feature-gates.ts'
import type { PodTemplateSpec } from '#api/core/v1.gen.ts'
import { dropDisabledTemplateFields } from '#api/core/pod-spec/drop-disabled.ts'
import { setHttpProtocols } from '#api/core/pod-spec/http-protocol.ts'
import { type PodValidationOptions, podValidationOptions } from '#api/core/pod-spec/options.ts'
import { podTemplateWarnings } from '#api/core/pod-spec/warnings.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration, clearStatus, keepSpec, keepStatus } from '#api/strategies.ts'
import type { FieldError } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isDns1123Label } from '#machinery/validation/names.ts'

export type WorkloadRules<T extends KubernetesObject> = {
  /** The template, as `setDefaults` has completed it. */
  template(object: T): PodTemplateSpec | undefined
  readonly templatePath: string
  setDefaults(object: T, features?: FeatureGates): void
  /** Beyond the status and the generation. */
  prepareForCreate?(object: T, features: FeatureGates): void
  prepareForUpdate?(object: T, old: T, features: FeatureGates): void
  /** True for a change that the controller has to see; the spec unless said. */
  hasChanged?(object: T, old: T): boolean
  /** Errors of the spec; `old` is null on create. */
  validateSpec(
    errors: FieldError[],
    object: T,
    context: { readonly old: T | null; readonly options: PodValidationOptions; readonly features: FeatureGates },
  ): void
  validateStatus?(errors: FieldError[], object: T, old: T): void
  prepareStatus?(object: T, old: T, features: FeatureGates): void
  /** Warnings beyond those of the template. */
  warnings?(object: T, old: T | null): string[]
  /** Pods get the object's name as part of theirs: a name that is no DNS label is worth a warning. */
  readonly namesPods: boolean
  readonly orphansDependents?: boolean
  readonly silentDeletionWarning?: string
}

const NAME_WARNING =
  'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended:'

export function workloadStrategy<T extends KubernetesObject & { spec?: unknown }>(
  rules: WorkloadRules<T>,
): Strategy<T> {
  return {
    setDefaults(object, _nowMs, features) {
      rules.setDefaults(object, features)
      setHttpProtocols(rules.template(object)?.spec, features)
    },
    prepareForCreate(object, { features }) {
      clearStatus(object)
      object.metadata.generation = 1
      rules.prepareForCreate?.(object, features)
      const template = rules.template(object)
      if (template) dropDisabledTemplateFields(template, undefined, features)
    },
    prepareForUpdate(object, old, { subresource, features }) {
      if (subresource === 'status') {
        keepSpec(object, old)
        rules.prepareStatus?.(object, old, features)
        return
      }
      keepStatus(object, old)
      rules.prepareForUpdate?.(object, old, features)
      const template = rules.template(object)
      if (template) dropDisabledTemplateFields(template, rules.template(old), features)
      const isChanged = rules.hasChanged?.(object, old) ?? !isSemanticallyEqual(object.spec, old.spec)
      if (isChanged) bumpGeneration(object, old)
    },
    validate(object, { features }) {
      const errors: FieldError[] = []
      rules.validateSpec(errors, object, { old: null, options: podValidationOptions(null, false, features), features })
      return errors
    },
    validateUpdate(object, old, { subresource, features }) {
      const errors: FieldError[] = []
      if (subresource === 'status') rules.validateStatus?.(errors, object, old)
      else
        rules.validateSpec(errors, object, {
          old,
          options: podValidationOptions(rules.template(old) ?? null, false, features),
          features,
        })
      return errors
    },
    warnings: (object, old) => workloadWarnings(rules, object, old),
    ...(rules.orphansDependents === undefined ? {} : { orphansDependents: rules.orphansDependents }),
    ...(rules.silentDeletionWarning === undefined ? {} : { silentDeletionWarning: rules.silentDeletionWarning }),
  }
}

function workloadWarnings<T extends KubernetesObject>(rules: WorkloadRules<T>, object: T, old: T | null): string[] {
  const problems = old === null && rules.namesPods ? isDns1123Label(object.metadata.name) : []
  const isTemplateOfInterest = old === null || object.metadata.generation !== old.metadata.generation
  return [
    ...(problems.length === 0 ? [] : [`${NAME_WARNING} [${problems.join(' ')}]`]),
    ...(isTemplateOfInterest ? podTemplateWarnings(rules.template(object), rules.templatePath) : []),
    ...(rules.warnings?.(object, old) ?? []),
  ]
}
