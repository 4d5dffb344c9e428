/** How writes of CronJobs are prepared and checked. */
import type { CronJob, CronJobSpec } from '#api/batch/v1.gen.ts'
import { setJobSpecDefaults } from '#api/batch/job/defaults.ts'
import { dropScheduling, jobSpecWarnings } from '#api/batch/job/strategy.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { validateCronJob } from './validation.ts'

export const cronJobStrategy = workloadStrategy<CronJob>({
  template: ({ spec }) => spec.jobTemplate.spec?.template,
  templatePath: 'spec.jobTemplate.spec.template',
  namesPods: true,
  setDefaults: setCronJobDefaults,
  prepareForCreate({ spec }) {
    if (spec.jobTemplate.spec) dropScheduling(spec.jobTemplate.spec, undefined)
  },
  prepareForUpdate({ spec }, old) {
    if (spec.jobTemplate.spec) dropScheduling(spec.jobTemplate.spec, old.spec.jobTemplate.spec)
  },
  validateSpec: validateCronJob,
  warnings: cronJobWarnings,
})

function setCronJobDefaults(cronJob: CronJob): void {
  const spec = (cronJob.spec ??= {} as CronJobSpec)
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  const template = (spec.jobTemplate ??= {})
  setJobSpecDefaults((template.spec ??= { template: {} }))
}

function cronJobWarnings({ metadata, spec }: CronJob, old: CronJob | null): string[] {
  const isOfInterest = old === null || metadata.generation !== old.metadata.generation
  const jobSpec = spec.jobTemplate.spec
  const warnings = isOfInterest && jobSpec ? jobSpecWarnings(jobSpec, 'spec.jobTemplate.spec') : []
  if (old !== null && spec.schedule.includes('TZ')) {
    const link = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/'
    // Upstream's path repeats itself.
    warnings.push(`cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see ${link} for more details`)
  }
  return warnings
}
