/** Runs pods to completion. */
import type { Job } from '#api/batch/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { jobStrategy } from './strategy.ts'
import { jobCells } from './table.ts'

export const jobKind = defineKind<Job>('batch/v1/jobs', {
  strategy: jobStrategy,
  row: jobCells,
  selectableFields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
})
