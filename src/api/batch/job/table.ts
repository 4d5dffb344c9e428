/** Table cells of jobs. */
import type { Job } from '#api/batch/v1.gen.ts'
import { containerCells, formatAge, formatDuration, formatLabelSelector } from '#api/table-cells.ts'

export function jobCells(job: Job, nowMs: number): unknown[] {
  const { metadata, spec } = job
  return [
    metadata.name,
    statusCell(job),
    completionsCell(job),
    durationCell(job, nowMs),
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template.spec?.containers),
    formatLabelSelector(spec.selector),
  ]
}

function statusCell(job: Job): string {
  // The first condition of a type decides, as upstream reads them.
  const has = (type: string): boolean =>
    job.status?.conditions?.find((condition) => condition.type === type)?.status === 'True'
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (has('Suspended')) return 'Suspended'
  if (has('FailureTarget')) return 'FailureTarget'
  return has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running'
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationCell({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return ''
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime)
  return formatDuration(endMs - Date.parse(status.startTime))
}
