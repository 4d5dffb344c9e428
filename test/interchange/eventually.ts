/** Waits for the real cluster to get somewhere, and tells what it last answered when it does not. */
import type { Clock } from '#base/clock.ts'

export const LIMIT_MS = 30_000
const PAUSE_MS = 50

export type Question<T> = () => Promise<T | null | undefined | false>

/** Resolves with the first answer that is one; throws after the limit, with what `explain` adds. */
export async function waitFor<T>(
  clock: Clock,
  what: string,
  ask: Question<T>,
  explain: () => string,
  limitMs = LIMIT_MS,
): Promise<T> {
  let last: unknown = 'no answer'
  for (const endsAt = clock.monotonic() + limitMs; clock.monotonic() < endsAt;) {
    const answer = await ask().catch((error: unknown) => {
      last = error
      return null // Not there yet is an answer like any other.
    })
    if (answer !== null && answer !== undefined && answer !== false) return answer
    await clock.sleep(PAUSE_MS)
  }
  throw new Error(`not so within ${limitMs} ms: ${what} (${String(last)})\n${explain()}`)
}
