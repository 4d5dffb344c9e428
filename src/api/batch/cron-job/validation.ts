/** Checks CronJobs. */
import type { CronJob, CronJobSpec } from '#api/batch/v1.gen.ts'
import { validateJobSpec } from '#api/batch/job/validation.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { checkNonNegative, checkPresent, checkRequiredEnum } from '#api/validation.ts'
import { type FieldError, invalidValue, notSupportedInOrder } from '#machinery/field-error.ts'
import { scheduleProblem } from './schedule.ts'
import { timeZoneProblem } from './time-zone.ts'

/** The controller adds eleven characters to make the name of a Job. */
const NAME_BYTES_MAX = 52

type Context = { readonly old: CronJob | null; readonly options: PodValidationOptions }

export function validateCronJob(errors: FieldError[], { metadata, spec }: CronJob, { old, options }: Context): void {
  if (checkPresent(errors, 'spec.schedule', spec.schedule)) validateSchedule(errors, spec, old?.spec)
  checkNonNegative(errors, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds)
  const { timeZone } = spec
  if (timeZone !== undefined && timeZone !== old?.spec.timeZone) {
    const problem = timeZoneProblem(timeZone)
    if (problem !== '') errors.push(invalidValue('spec.timeZone', timeZone, problem))
  }
  checkRequiredEnum(errors, 'spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
  validateJobTemplate(errors, spec, options)
  checkNonNegative(errors, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit)
  checkNonNegative(errors, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit)
  if (old === null && Buffer.byteLength(metadata.name ?? '') > NAME_BYTES_MAX)
    errors.push(invalidValue('metadata.name', metadata.name, `must be no more than ${NAME_BYTES_MAX} characters`))
}

function validateSchedule(
  errors: FieldError[],
  { schedule, timeZone }: CronJobSpec,
  old: CronJobSpec | undefined,
): void {
  const path = 'spec.schedule'
  const problem = scheduleProblem(schedule)
  if (problem !== '') errors.push(invalidValue(path, schedule, problem))
  if (!schedule.includes('TZ')) return
  // A time zone in the schedule is an old habit that old objects may keep.
  if (old?.schedule.includes('TZ') !== true) {
    const text = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
    errors.push(invalidValue(path, schedule, text))
  } else if (timeZone !== undefined)
    errors.push(invalidValue(path, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
}

function validateJobTemplate(errors: FieldError[], { jobTemplate }: CronJobSpec, options: PodValidationOptions): void {
  const spec = jobTemplate.spec ?? { template: {} }
  const path = 'spec.jobTemplate.spec'
  validateJobSpec(errors, spec, { path, options })
  if (spec.selector !== undefined)
    errors.push(invalidValue(`${path}.selector`, spec.selector, '`selector` will be auto-generated'))
  if (spec.manualSelector === true)
    errors.push(notSupportedInOrder(`${path}.manualSelector`, spec.manualSelector, ['nil', 'false']))
}
