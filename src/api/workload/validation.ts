/** Checks that kinds with a pod template and a selector share. */
import type { PodTemplateSpec } from '#api/core/v1.gen.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { validatePodTemplateSpec } from '#api/core/pod-spec/validation.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkLabelSelector, checkNonNegative, IMMUTABLE } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { type IntOrString, intValue } from '#machinery/int-or-string.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'
import { type LabelSelectorMatcher, LabelSelectorError, matcherOf } from '#machinery/selectors/label-selector.ts'
import { isValidPercent } from '#machinery/validation/names.ts'

export function checkImmutable(errors: FieldError[], path: string, [now, old]: readonly [unknown, unknown]): void {
  if (!isSemanticallyEqual(now, old)) errors.push(invalidValue(path, now, IMMUTABLE))
}

export function checkSelectorImmutable(
  errors: FieldError[],
  [now, old]: readonly [LabelSelector | undefined, LabelSelector | undefined],
): void {
  if (!isSemanticallyEqual(now, old)) errors.push(invalidSelector(now, IMMUTABLE))
}

/** An error that shows the selector as upstream does: fields in the order of their type. */
export function invalidSelector(selector: LabelSelector | undefined, detail: string): FieldError {
  const matchExpressions = selector?.matchExpressions?.map(({ key, operator, values }) => ({ key, operator, values }))
  const shown = selector && { matchLabels: selector.matchLabels, matchExpressions }
  return invalidValue('spec.selector', shown, detail)
}

/** A counter that only grows. */
export function checkNotDecremented(
  errors: FieldError[],
  path: string,
  [now, old]: readonly [number | undefined, number | undefined],
): void {
  if (old !== undefined && (now === undefined || now < old))
    errors.push(invalidValue(path, now ?? 0, 'cannot be decremented'))
}

/** `spec.selector` has to be there, valid and not empty; `kind` is the word upstream uses. */
export function validateSelector(
  errors: FieldError[],
  selector: LabelSelector | undefined,
  { path, kind }: { readonly path: string; readonly kind: string },
): void {
  if (selector === undefined) {
    errors.push(required(path))
    return
  }
  checkLabelSelector(errors, path, selector, {})
  if (isEmptySelector(selector)) errors.push(invalidValue(path, selector, `empty selector is invalid for ${kind}`))
}

export function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0
}

/** Null for a selector that cannot be understood: its own errors say why. */
export function tryMatcherOf(selector: LabelSelector | undefined): LabelSelectorMatcher | null {
  try {
    return matcherOf(selector)
  } catch (error) {
    if (error instanceof LabelSelectorError) return null
    throw error
  }
}

export type TemplatePlace = {
  readonly path: string
  readonly options: PodValidationOptions
  /** The word of upstream's message, `ReplicaSet`. */
  readonly kind: string
}

/** Pods of a controller that keeps them running: they carry the selected labels and always restart. */
export function validateRunningTemplate(
  errors: FieldError[],
  template: PodTemplateSpec | undefined,
  { path, options, kind, matcher }: TemplatePlace & { readonly matcher: LabelSelectorMatcher },
): void {
  if (template === undefined) {
    errors.push(required(path))
    return
  }
  checkTemplateLabels(errors, template, { path, matcher })
  validatePodTemplateSpec(errors, template, { path, options })
  validateAlwaysRestarts(errors, template, { path, kind })
}

export function checkTemplateLabels(
  errors: FieldError[],
  { metadata }: PodTemplateSpec,
  { path, matcher }: { readonly path: string; readonly matcher: LabelSelectorMatcher },
): void {
  const labels = metadata?.labels ?? {}
  if (matcher.isEmpty || matcher.matches(labels)) return
  errors.push(invalidValue(`${path}.metadata.labels`, metadata?.labels, '`selector` does not match template `labels`'))
}

export function validateAlwaysRestarts(
  errors: FieldError[],
  { spec }: PodTemplateSpec,
  { path, kind }: { readonly path: string; readonly kind: string },
): void {
  if (spec?.restartPolicy !== 'Always')
    errors.push(notSupported(`${path}.spec.restartPolicy`, spec?.restartPolicy ?? '', ['Always']))
  if (spec?.activeDeadlineSeconds !== undefined) {
    const text = `activeDeadlineSeconds in ${kind} is not Supported`
    errors.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, text))
  }
}

/** A number of pods, or a percentage of them. */
export function checkIntOrPercent(errors: FieldError[], path: string, value: IntOrString | undefined): void {
  if (typeof value === 'string')
    for (const message of isValidPercent(value)) errors.push(invalidValue(path, value, message))
  else checkNonNegative(errors, path, value)
}

export function checkAtMost100Percent(errors: FieldError[], path: string, value: IntOrString | undefined): void {
  if (percentOrNull(value) !== null && percentOrNull(value)! > 100)
    errors.push(invalidValue(path, value, 'must not be greater than 100%'))
}

function percentOrNull(value: IntOrString | undefined): number | null {
  return typeof value === 'string' && isValidPercent(value).length === 0 ? Number(value.slice(0, -1)) : null
}

/** The number in front of a percent sign, or the number itself. */
export function numberOf(value: IntOrString | undefined): number {
  return percentOrNull(value) ?? intValue(value ?? 0)
}

/** Numbers of a status: none is negative, and parts are no more than the whole. */
export function validateReplicaCounts(
  errors: FieldError[],
  counts: Readonly<Record<string, number | undefined>>,
  { parts, readyText }: { readonly parts: readonly string[]; readonly readyText: string },
): void {
  for (const [name, count] of Object.entries(counts)) checkNonNegative(errors, `status.${name}`, count)
  const total = counts['replicas'] ?? 0
  for (const name of parts)
    if ((counts[name] ?? 0) > total)
      errors.push(invalidValue(`status.${name}`, counts[name] ?? 0, 'cannot be greater than status.replicas'))
  const available = counts['availableReplicas'] ?? 0
  if (available > (counts['readyReplicas'] ?? 0))
    errors.push(invalidValue('status.availableReplicas', available, `cannot be greater than ${readyText}`))
}
