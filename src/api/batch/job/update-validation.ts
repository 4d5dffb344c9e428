/** Checks what of a Job may change: little, and more while it is suspended. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Affinity, Container, PodSpec, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkImmutable } from '#api/workload/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'

const IMMUTABLE_FIELDS = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

export function validateJobUpdate(errors: FieldError[], { spec }: Job, old: Job): void {
  validateCompletions(errors, spec, old.spec)
  checkImmutable(errors, 'spec.selector', [spec.selector, old.spec.selector])
  validateTemplateUpdate(errors, spec.template, old)
  for (const field of IMMUTABLE_FIELDS) checkImmutable(errors, `spec.${field}`, [spec[field], old.spec[field]])
}

/** An indexed Job may grow and shrink, as long as all its pods run at once. */
function validateCompletions(errors: FieldError[], spec: Job['spec'], old: Job['spec']): void {
  const path = 'spec.completions'
  if (spec.completionMode !== 'Indexed') checkImmutable(errors, path, [spec.completions, old.completions])
  else if (
    spec.completions !== old.completions &&
    spec.completions !== undefined &&
    spec.completions !== spec.parallelism
  )
    errors.push(invalidValue(path, spec.completions, 'can only be modified in tandem with spec.parallelism'))
}

function validateTemplateUpdate(errors: FieldError[], template: PodTemplateSpec, old: Job): void {
  const isOpen = isTemplateOpen(old)
  const before = isOpen ? withSchedulingOf(old.spec.template, template) : old.spec.template
  if (!isOpen) checkImmutable(errors, 'spec.template', [template, before])
  else checkImmutable(errors, 'spec.template.spec', [template.spec, withResourcesOf(before.spec, template.spec)])
}

/** A suspended Job without running pods: queueing systems set where and with what it is to run. */
function isTemplateOpen({ spec, status }: Job): boolean {
  const isSuspended = status?.conditions?.some(
    (condition) => condition.type === 'Suspended' && condition.status === 'True',
  )
  return (
    spec.suspend === true && (status?.startTime === undefined || isSuspended === true) && (status?.active ?? 0) === 0
  )
}

/** The old template with the new one's scheduling directives. */
function withSchedulingOf(old: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const metadata = { ...old.metadata }
  replace(metadata, 'annotations', template.metadata?.annotations)
  replace(metadata, 'labels', template.metadata?.labels)
  const spec: PodSpec = { ...(old.spec ?? { containers: [] }) }
  replace(spec, 'affinity', affinityOf(old.spec?.affinity, template.spec?.affinity))
  for (const field of ['nodeSelector', 'tolerations', 'schedulingGates'] as const)
    replace(spec, field, template.spec?.[field])
  return { ...old, metadata, spec }
}

/** Only node affinity may change; an affinity that is left without any part is none. */
function affinityOf(old: Affinity | undefined, now: Affinity | undefined): Affinity | undefined {
  const { nodeAffinity: _, ...others } = old ?? {}
  const merged = { ...others, ...(now?.nodeAffinity && { nodeAffinity: now.nodeAffinity }) }
  return now === undefined && isSemanticallyEqual(merged, {}) ? undefined : merged
}

function withResourcesOf(old: PodSpec | undefined, now: PodSpec | undefined): PodSpec | undefined {
  if (old === undefined || now === undefined) return old
  const spec: PodSpec = { ...old, containers: takeResources(old.containers, now.containers) ?? [] }
  replace(spec, 'initContainers', takeResources(old.initContainers, now.initContainers))
  return spec
}

type Containers = readonly Container[] | undefined

function takeResources(old: Containers, now: Containers): Container[] | undefined {
  return old?.map((container, i) => {
    const other = now?.[i]
    if (old.length !== now?.length || other?.name !== container.name) return container
    const { resources: _, ...rest } = container
    return { ...rest, ...(other.resources && { resources: other.resources }) }
  })
}

function replace<T extends object, K extends keyof T>(target: T, field: K, value: T[K] | undefined): void {
  if (value === undefined) delete target[field]
  else target[field] = value
}
