/** What clocks on the wall of a time zone show, with the rules of Go's `time.Date` where summer time begins or ends. */

export type WallTime = {
  readonly year: number
  /** 1 to 12; `timeAt` carries over what is beyond. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** Formatters are slow to make and there are few zones. */
const formatters = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds by which the zone is ahead of UTC at a time. */
export function zoneOffsetMs(timeZone: string, atMs: number): number {
  if (timeZone === 'UTC') return 0
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    const numbers = { hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
    const date = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...date, ...numbers })
    formatters.set(timeZone, formatter)
  }
  const parts: Record<string, number> = {}
  for (const { type, value } of formatter.formatToParts(atMs)) parts[type] = Number(value)
  const { year, month, day, hour, minute, second } = parts
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000
}

export function wallTimeAt(timeZone: string, atMs: number): WallTime & { readonly weekday: number } {
  const shifted = new Date(atMs + zoneOffsetMs(timeZone, atMs))
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    weekday: shifted.getUTCDay(),
  }
}

/** Of a wall time that does not exist, or exists twice, one of the two readings. */
export function timeAt(timeZone: string, { year, month, day, hour, minute, second }: WallTime): number {
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second)
  const guess = zoneOffsetMs(timeZone, asUtc)
  return guess === 0 ? asUtc : asUtc - zoneOffsetMs(timeZone, asUtc - guess)
}

/** RFC 3339 in the zone's own time. */
export function formatInZone(timeZone: string, atMs: number): string {
  const offset = zoneOffsetMs(timeZone, atMs)
  const text = new Date(atMs + offset).toISOString().slice(0, 19)
  if (offset === 0) return `${text}Z`
  const minutes = Math.abs(Math.trunc(offset / 60_000))
  const digits = (value: number): string => String(value).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`
}
