/** How long a Job waits before it replaces failed pods: 10 s, doubled with each failure in a row. */
import type { Pod } from '#api/core/v1.gen.ts'
import { finishedAt } from './pod-facts.ts'

const [BACKOFF_MS, BACKOFF_MS_MAX] = [10_000, 600_000]

export type Backoff = { readonly failures: number; readonly lastFailureAt: number }
export const NO_BACKOFF: Backoff = { failures: 0, lastFailureAt: 0 }

/** A success ends the row of failures before it. */
export function nextBackoff(backoff: Backoff, succeeded: readonly Pod[], failed: readonly Pod[]): Backoff {
  const lastSuccess = Math.max(-Infinity, ...succeeded.map(finishedAt))
  const failures = failed.map(finishedAt).filter((time) => time > lastSuccess)
  const base = succeeded.length > 0 ? NO_BACKOFF : backoff
  if (failures.length === 0) return base
  return { failures: base.failures + failures.length, lastFailureAt: Math.max(...failures) }
}

export function remainingBackoffMs({ failures, lastFailureAt }: Backoff, nowMs: number): number {
  if (failures === 0) return 0
  const delay = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** Math.min(failures - 1, 20))
  return Math.max(0, lastFailureAt + delay - nowMs)
}
