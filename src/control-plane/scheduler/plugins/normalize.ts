/** Brings raw scores to 0..100, as all plugins have to before their weights count. */
import { SCORE_MAX } from '../framework.ts'

/** The highest raw score becomes 100; all zero stays zero. */
export function normalizeAscending(scores: number[]): void {
  const max = Math.max(...scores, 0)
  if (max === 0) return
  for (const [position, score] of scores.entries()) scores[position] = Math.floor((score * SCORE_MAX) / max)
}

/** The highest raw score becomes 0; all zero becomes 100. */
export function normalizeDescending(scores: number[]): void {
  const max = Math.max(...scores, 0)
  for (const [position, score] of scores.entries())
    scores[position] = max === 0 ? SCORE_MAX : SCORE_MAX - Math.floor((score * SCORE_MAX) / max)
}
