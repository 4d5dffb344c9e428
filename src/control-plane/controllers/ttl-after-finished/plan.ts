/** Decides when a Job that has ended is to be deleted. */
import type { Job } from '#api/batch/v1.gen.ts'

/** Milliseconds since the epoch; null for a Job that runs, lives for ever, or is about to go. */
export function expiryMs({ metadata, spec, status }: Job): number | null {
  if (spec.ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== undefined) return null
  const end = status?.conditions?.find(
    ({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
  )
  const time = Date.parse(end?.lastTransitionTime ?? '')
  return Number.isNaN(time) ? null : time + spec.ttlSecondsAfterFinished * 1000
}
