/** Fills the defaults of Jobs and of Job templates. */
import type { Job, JobSpec } from '#api/batch/v1.gen.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'

/** Pods that may fail before the Job does. */
const BACKOFF_LIMIT = 6
const INT32_MAX = 2_147_483_647

export function setJobDefaults(job: Job): void {
  const spec = (job.spec ??= {} as JobSpec)
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  // With a limit for each index the sum is no limit.
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : INT32_MAX
  setJobLabelDefaults(job)
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  spec.manualSelector ??= false
  setJobSpecDefaults(spec)
}

/** A Job without labels gets those of its pods, the generated ones included. */
export function setJobLabelDefaults({ metadata, spec }: Job): void {
  const labels = spec.template?.metadata?.labels
  if (labels !== undefined && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
}

/** What holds for the spec of a Job template as well: a template gets the rest when it becomes a Job. */
export function setJobSpecDefaults(spec: JobSpec): void {
  setPodTemplateDefaults((spec.template ??= {}))
  for (const { onPodConditions = [] } of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of onPodConditions) pattern.status ||= 'True'
}
