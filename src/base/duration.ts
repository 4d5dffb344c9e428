/** Durations as flags and requests of Kubernetes write them: `300ms`, `5s`, `1h30m`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // Both characters that look like this one, as in Go: the micro sign and the Greek letter.
  '\u00B5s': 1e-3,
  '\u03BCs': 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00B5s|\u03BCs|ms|s|m|h)/gy

/** In milliseconds; null for a text that is no duration. */
export function parseDuration(text: string): number | null {
  const sign = text.startsWith('-') ? -1 : 1
  const rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0
  const parts = [...rest.matchAll(PART)]
  if (parts.length === 0 || parts.reduce((length, [part]) => length + part.length, 0) !== rest.length) return null
  return sign * parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit!]!, 0)
}
