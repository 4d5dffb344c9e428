/** A number of things, or a share of them: `maxUnavailable: 25%`, `targetPort: http`. */

export type IntOrString = number | string

/** The share of `total`, rounded as asked; null when the text is no percentage. */
export function percentOf(value: IntOrString, total: number, round: 'up' | 'down'): number | null {
  if (typeof value === 'number') return value
  const match = /^([+-]?\d+)%$/.exec(value)
  if (match === null) return null
  const share = (Number(match[1]) * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}

/** The percentage as a number, or null for anything else. */
export function percentageOf(value: IntOrString | undefined): number | null {
  if (typeof value !== 'string') return null
  const match = /^(\d+)%$/.exec(value)
  return match === null ? null : Number(match[1])
}

/** The plain number, 0 for text: what Go's `IntValue()` gives for text that is no number. */
export function intValue(value: IntOrString): number {
  if (typeof value === 'number') return value
  return /^[+-]?\d+$/.test(value) ? Number(value) : 0
}
