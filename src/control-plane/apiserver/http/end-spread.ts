/** Ends watches one after the other over a while, so that their clients do not all come back at once. */
import type { Clock } from '#base/clock.ts'

/** The slowest pace, in watches a second: few of them need not take the whole time (upstream's floor). */
const RATE_MIN = 200
const SLICE_MS = 50

/** Calls `end` for each within `graceMs`, all of them at once for a time of 0. */
export async function endSpread<T>(
  all: readonly T[],
  { graceMs, clock }: { readonly graceMs: number; readonly clock: Clock },
  end: (one: T) => void,
): Promise<void> {
  if (graceMs <= 0) return all.forEach(end)
  const rate = Math.max(RATE_MIN, (all.length * 1000) / graceMs)
  const perSlice = Math.ceil((rate * SLICE_MS) / 1000)
  for (let start = 0; start < all.length; start += perSlice) {
    if (start > 0) await clock.sleep(SLICE_MS)
    all.slice(start, start + perSlice).forEach(end)
  }
}
