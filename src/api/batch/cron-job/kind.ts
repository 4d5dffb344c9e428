/** Makes jobs at the times of a schedule. */
import type { CronJob } from '#api/batch/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatAge, formatLabelSelector } from '#api/table-cells.ts'
import { cronJobStrategy } from './strategy.ts'

export const cronJobKind = defineKind<CronJob>('batch/v1/cronjobs', {
  strategy: cronJobStrategy,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.schedule,
    spec.timeZone ?? '<none>',
    suspendCell(spec.suspend),
    status?.active?.length ?? 0,
    status?.lastScheduleTime === undefined ? '<none>' : formatAge(status.lastScheduleTime, nowMs),
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.jobTemplate.spec?.template.spec?.containers),
    formatLabelSelector(spec.jobTemplate.spec?.selector),
  ],
})

function suspendCell(suspend: boolean | undefined): string {
  if (suspend === undefined) return '<unset>'
  return suspend ? 'True' : 'False'
}
