/** How many of a kind's writes agree. */
import type { StepResult } from './run.ts'

export type Share = {
  readonly equal: number
  readonly text: number
  readonly differs: number
  /** Whole percent, rounded down, that agree (texts may differ). */
  readonly percent: number
}

export function shareOf(results: readonly StepResult[]): Share {
  const count = (verdict: string): number => results.filter((result) => result.verdict === verdict).length
  const [equal, text, differs] = [count('equal'), count('text'), count('differs')]
  const percent = results.length === 0 ? 100 : Math.floor((100 * (equal + text)) / results.length)
  return { equal, text, differs, percent }
}
