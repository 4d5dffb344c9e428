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

/** Why a text is no duration, in the words of Go's parser; call it for texts that `parseDuration` refuses. */
export function durationProblem(text: string): string {
  return `time: ${problemOf(text)} duration ${JSON.stringify(text)}`
}

function problemOf(text: string): string {
  if (/^[\d.]+$/.test(text)) return 'missing unit in'
  const [, unit] = /^[-+]?[\d.]*\d[\d.]*([^\d.]+)/.exec(text) ?? []
  return unit === undefined ? 'invalid' : `unknown unit ${JSON.stringify(unit)} in`
}

/** As Go prints a duration: `1h0m0s`, `1m30s`, `500ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const [sign, size] = [ms < 0 ? '-' : '', Math.abs(ms)]
  if (size < 1) return `${sign}${size * 1000}\u00B5s`
  if (size < 1000) return `${sign}${size}ms`
  const [hours, minutes] = [Math.floor(size / UNIT_MS['h']!), Math.floor(size / UNIT_MS['m']!)]
  const seconds = `${(size - minutes * UNIT_MS['m']!) / 1000}s`
  if (minutes === 0) return `${sign}${seconds}`
  return hours === 0 ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60}m${seconds}`
}
