/** How writes of Jobs are prepared and checked. */
import type { Job, JobSpec } from '#api/batch/v1.gen.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { isValidLabelValue } from '#machinery/validation/names.ts'
import { setJobDefaults, setJobLabelDefaults } from './defaults.ts'
import { generateSelector } from './selector.ts'
import { validateJobStatus } from './status-validation.ts'
import { validateJob } from './validation.ts'

export const jobStrategy = workloadStrategy<Job>({
  template: ({ spec }) => spec.template,
  templatePath: 'spec.template',
  namesPods: true,
  orphansDependents: true,
  silentDeletionWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  setDefaults: setJobDefaults,
  prepareForCreate(job) {
    generateSelector(job)
    // A name that is no label value is refused at the template; the Job's own labels need not repeat it.
    if (isValidLabelValue(job.metadata.name ?? '').length === 0) setJobLabelDefaults(job)
    dropScheduling(job.spec, undefined)
  },
  prepareForUpdate: (job, old) => dropScheduling(job.spec, old.spec),
  // The old spec comes with its template, from which a Job without labels has them whenever it is read.
  prepareStatus: setJobLabelDefaults,
  validateSpec: validateJob,
  validateStatus: validateJobStatus,
  warnings: ({ spec, metadata }, old) =>
    old === null || old.metadata.generation !== metadata.generation ? jobSpecWarnings(spec, 'spec') : [],
})

/** Gang scheduling of Jobs is off in this version. */
export function dropScheduling(spec: JobSpec, old: JobSpec | undefined): void {
  if (old?.scheduling === undefined) delete spec.scheduling
}

const COMPLETIONS_HIGH = 100_000
const PARALLELISM_HIGH = 10_000

export function jobSpecWarnings({ completionMode, completions = 0, parallelism = 0 }: JobSpec, path: string): string[] {
  if (completionMode !== 'Indexed' || completions <= COMPLETIONS_HIGH || parallelism <= PARALLELISM_HIGH) return []
  return [
    `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
  ]
}
