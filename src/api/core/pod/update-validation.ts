/** Checks updates of pods: nearly everything of a pod is fixed once it exists. */
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSchedulingGate, PodSpec } from '#api/core/v1.gen.ts'
import { validateAnnotationUpdates } from '#api/core/pod-spec/annotations.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { podValidationOptions } from '#api/core/pod-spec/options.ts'
import { validateAddedTolerations } from '#api/core/pod-spec/tolerations.ts'
import { diffAsGo } from '#api/go-values/show-as-go.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkPresent } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import { withFields } from '#machinery/schema/zero-values.ts'
import { rangeText } from '#machinery/validation/texts.ts'
import { validatePodContent } from './validation.ts'

const INT32_MAX = 2_147_483_647

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

export function validatePodUpdate(pod: Pod, old: Pod, features: FeatureGates): FieldError[] {
  const errors: FieldError[] = []
  const options = podValidationOptions(old, true, features)
  validatePodContent(errors, pod, options)
  const path = 'metadata.annotations'
  validateAnnotationUpdates(errors, pod.metadata.annotations, { old: old.metadata.annotations, path })
  if (!isSameContainerCount(errors, pod.spec.containers, { old: old.spec.containers, path: 'spec.containers' }))
    return errors
  const inits = { old: old.spec.initContainers, path: 'spec.initContainers' }
  if (!isSameContainerCount(errors, pod.spec.initContainers, inits)) return errors
  if (!isDeadlineShorter(errors, pod.spec, old.spec)) return errors
  validateAddedTolerations(
    errors,
    { tolerations: pod.spec.tolerations ?? [], old: old.spec.tolerations ?? [] },
    { path: 'spec.tolerations', allowComparison: options.allowComparison },
  )
  validateGatesOnlyRemoved(errors, pod.spec.schedulingGates ?? [], old.spec.schedulingGates ?? [])
  if (!isSemanticallyEqual(pod.spec, old.spec)) validateRestIsFixed(errors, pod.spec, old.spec)
  return errors
}

type OldContainers = { readonly old: readonly Container[] | undefined; readonly path: string }

function isSameContainerCount(
  errors: FieldError[],
  containers: readonly Container[] = [],
  { old = [], path }: OldContainers,
): boolean {
  if (containers.length !== old.length) {
    errors.push(forbiddenField(path, 'pod updates may not add or remove containers'))
    return false
  }
  for (const [i, { image = '' }] of containers.entries()) {
    const place = `${path}[${i}].image`
    checkPresent(errors, place, image)
    if (image.trim() !== image) errors.push(invalidValue(place, image, 'must not have leading or trailing whitespace'))
  }
  return true
}

/** False when there is nothing more to say. */
function isDeadlineShorter(errors: FieldError[], spec: PodSpec, old: PodSpec): boolean {
  const path = 'spec.activeDeadlineSeconds'
  const [now, before] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds]
  if (now === undefined) {
    if (before !== undefined)
      errors.push(invalidValue(path, now, 'must not update from a positive integer to nil value'))
    return true
  }
  if (now < 0 || now > INT32_MAX) errors.push(invalidValue(path, now, rangeText(0, INT32_MAX)))
  else if (before !== undefined && before < now)
    errors.push(invalidValue(path, now, 'must be less than or equal to previous value'))
  else return true
  return false
}

function validateGatesOnlyRemoved(
  errors: FieldError[],
  gates: readonly PodSchedulingGate[],
  old: readonly PodSchedulingGate[],
): void {
  const known = new Set(old.map(({ name }) => name))
  for (const [i, { name }] of gates.entries()) {
    if (known.has(name)) continue
    const text = `only deletion is allowed, but found new scheduling gate '${name}'`
    errors.push(forbiddenField(`spec.schedulingGates[${i}].name`, text))
  }
}

/** Puts the old values in place of everything that may change; then nothing may differ. */
function validateRestIsFixed(errors: FieldError[], spec: PodSpec, old: PodSpec): void {
  const rest = withFields(spec, { containers: withImagesOf(spec.containers, old.containers) ?? [] })
  replace(rest, 'initContainers', withImagesOf(spec.initContainers, old.initContainers))
  replace(rest, 'activeDeadlineSeconds', old.activeDeadlineSeconds)
  replace(rest, 'schedulingGates', old.schedulingGates)
  replace(rest, 'tolerations', old.tolerations)
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && rest.terminationGracePeriodSeconds === 1)
    replace(rest, 'terminationGracePeriodSeconds', old.terminationGracePeriodSeconds)
  if ((old.schedulingGates ?? []).length > 0) allowNarrowing(errors, rest, old)
  if (isSemanticallyEqual(rest, old)) return
  const text = `pod updates may not change fields other than ${UPDATABLE}\n${diffAsGo('io.k8s.api.core.v1.PodSpec', old, rest)}`
  errors.push(forbiddenField('spec', text))
}

function withImagesOf(
  containers: readonly Container[] | undefined,
  old: readonly Container[] | undefined,
): Container[] | undefined {
  return containers?.map((container, i) => {
    const image = old?.[i]?.image
    return image === undefined ? container : withFields(container, { image })
  })
}

function replace<K extends keyof PodSpec>(spec: PodSpec, field: K, value: PodSpec[K] | undefined): void {
  if (value === undefined) delete spec[field]
  else spec[field] = value
}

/** A pod that waits at scheduling gates may still be told to fit fewer nodes. */
function allowNarrowing(errors: FieldError[], rest: PodSpec, old: PodSpec): void {
  if (!isSemanticallyEqual(rest.nodeSelector, old.nodeSelector)) {
    const isKept = Object.entries(old.nodeSelector ?? {}).every(([name, value]) => rest.nodeSelector?.[name] === value)
    if (!isKept) {
      const text = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
      errors.push(invalidValue('spec.nodeSelector', rest.nodeSelector, text))
    }
    replace(rest, 'nodeSelector', old.nodeSelector)
  }
  const [now, before] = [rest.affinity?.nodeAffinity, old.affinity?.nodeAffinity]
  if (isSemanticallyEqual(now, before)) return
  validateAffinityNarrowing(errors, now, before)
  const { nodeAffinity: _, ...others } = rest.affinity ?? {}
  const isNothingElse = Object.keys(others).length === 0 && old.affinity === undefined
  replace(rest, 'affinity', isNothingElse ? undefined : { ...others, ...(before && { nodeAffinity: before }) })
}

function validateAffinityNarrowing(
  errors: FieldError[],
  now: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
): void {
  const field = 'requiredDuringSchedulingIgnoredDuringExecution'
  const oldTerms = old?.[field]?.nodeSelectorTerms ?? []
  if (oldTerms.length === 0) return
  const terms = now?.[field]?.nodeSelectorTerms ?? []
  const path = `spec.affinity.nodeAffinity.${field}.nodeSelectorTerms`
  if (terms.length !== oldTerms.length) {
    const text = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    errors.push(invalidValue(path, terms, text))
    return
  }
  for (const [i, term] of terms.entries())
    if (!hasOnlyAdditions(term, oldTerms[i]!))
      errors.push(invalidValue(`${path}[${i}]`, term, 'only additions are allowed (no mutations or deletions)'))
}

/** Terms are read with AND: more requirements fit fewer nodes. An empty term fits none, so it stays empty. */
function hasOnlyAdditions(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const [expressions, fields] = [term.matchExpressions ?? [], term.matchFields ?? []]
  const [oldExpressions, oldFields] = [old.matchExpressions ?? [], old.matchFields ?? []]
  if (oldExpressions.length === 0 && oldFields.length === 0) return expressions.length === 0 && fields.length === 0
  return (
    isSemanticallyEqual(expressions.slice(0, oldExpressions.length), oldExpressions) &&
    isSemanticallyEqual(fields.slice(0, oldFields.length), oldFields)
  )
}
