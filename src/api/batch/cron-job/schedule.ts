/** Reads the schedule of a CronJob: five fields, or a word such as `@hourly`. */
import { isKnownTimeZone } from './time-zone.ts'

/** Minutes at which something happens; the sets hold the values of the five fields. */
export type FieldSchedule = {
  readonly timeZone: string | null
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly daysOfMonth: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly daysOfWeek: ReadonlySet<number>
  /** One of the two day fields leaves all days open: then both have to match, else one is enough. */
  readonly needsBothDays: boolean
}
export type IntervalSchedule = { readonly everySeconds: number }
export type Schedule = FieldSchedule | IntervalSchedule

type Bounds = { readonly min: number; readonly max: number; readonly names?: readonly string[] }

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const DAYS = 'sun mon tue wed thu fri sat'.split(' ')

const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
]

const WORDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
}
const DURATION =
  /^[+-]?(?:0|(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*)$/

/** The text is no schedule. */
export class ScheduleError extends Error {}

/** Why the text is no schedule; empty when it is one. */
export function scheduleProblem(schedule: string): string {
  try {
    parseSchedule(schedule)
    return ''
  } catch (error) {
    if (error instanceof ScheduleError) return error.message
    throw error
  }
}

/** Throws a ScheduleError for a text that is no schedule. */
export function parseSchedule(schedule: string): Schedule {
  if (schedule === '') throw new ScheduleError('empty spec string')
  const { text, timeZone } = splitTimeZone(schedule)
  if (text.startsWith('@every ')) return { everySeconds: intervalSeconds(text) }
  if (text.startsWith('@') && !Object.hasOwn(WORDS, text)) throw new ScheduleError(`unrecognized descriptor: ${text}`)
  const fields = (WORDS[text] ?? text).split(/\s+/).filter((field) => field !== '')
  if (fields.length !== FIELDS.length) {
    const found = `found ${fields.length}: [${fields.join(' ')}]`
    throw new ScheduleError(`expected exactly ${FIELDS.length} fields, ${found}`)
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = fields.map((field, i) => parseField(field, FIELDS[i]!))
  return {
    timeZone,
    minutes: minutes!.values,
    hours: hours!.values,
    daysOfMonth: daysOfMonth!.values,
    months: months!.values,
    daysOfWeek: daysOfWeek!.values,
    needsBothDays: daysOfMonth!.isAny || daysOfWeek!.isAny,
  }
}

function splitTimeZone(schedule: string): { text: string; timeZone: string | null } {
  if (!schedule.startsWith('TZ=') && !schedule.startsWith('CRON_TZ=')) return { text: schedule, timeZone: null }
  const end = schedule.indexOf(' ')
  const name = schedule.slice(schedule.indexOf('=') + 1, end === -1 ? undefined : end)
  if (end === -1 || (name !== '' && name !== 'Local' && !isKnownTimeZone(name)))
    throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`)
  return { text: schedule.slice(end).trim(), timeZone: name === 'Local' ? null : name || 'UTC' }
}

/** Whole seconds, and at least one. */
function intervalSeconds(text: string): number {
  const duration = text.slice('@every '.length)
  if (!DURATION.test(duration)) {
    const problem = `time: invalid duration ${JSON.stringify(duration)}`
    throw new ScheduleError(`failed to parse duration ${text}: ${problem}`)
  }
  let seconds = 0
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)([a-zµμ]+)/g))
    seconds += Number(amount) * UNIT_SECONDS[unit!]!
  return duration.startsWith('-') ? 1 : Math.max(1, Math.floor(seconds))
}

type Field = { readonly values: ReadonlySet<number>; readonly isAny: boolean }

function parseField(field: string, bounds: Bounds): Field {
  const ranges = field.split(',').filter((range) => range !== '')
  const parsed = ranges.map((range) => parseRange(range, bounds))
  return { values: new Set(parsed.flatMap(({ values }) => [...values])), isAny: parsed.some(({ isAny }) => isAny) }
}

/** `*`, `5`, `1-5`, each with `/2` behind it. */
function parseRange(expression: string, { min, max, names }: Bounds): Field {
  const [limits, step, ...rest] = expression.split('/')
  const [low, high, ...more] = limits!.split('-')
  const isAny = low === '*' || low === '?'
  if (!isAny && more.length > 0) throw new ScheduleError(`too many hyphens: ${expression}`)
  const start = isAny ? min : numberOf(low!, names)
  let end = isAny ? max : high === undefined ? start : numberOf(high, names)
  if (rest.length > 0) throw new ScheduleError(`too many slashes: ${expression}`)
  const by = step === undefined ? 1 : numberOf(step)
  if (step !== undefined && high === undefined) end = max
  if (start < min) throw new ScheduleError(`beginning of range (${start}) below minimum (${min}): ${expression}`)
  if (end > max) throw new ScheduleError(`end of range (${end}) above maximum (${max}): ${expression}`)
  if (start > end) throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${expression}`)
  if (by === 0) throw new ScheduleError(`step of range should be a positive number: ${expression}`)
  const values = new Set<number>()
  for (let value = start; value <= end; value += by) values.add(value)
  return { values, isAny: isAny && by === 1 }
}

function numberOf(text: string, names: readonly string[] | undefined = undefined): number {
  const position = names?.indexOf(text.toLowerCase()) ?? -1
  if (position !== -1) return names === MONTHS ? position + 1 : position
  if (!/^[+-]?\d+$/.test(text)) {
    const problem = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    throw new ScheduleError(`failed to parse int from ${text}: ${problem}`)
  }
  const number = Number(text)
  if (number < 0) throw new ScheduleError(`negative number (${number}) not allowed: ${text}`)
  return number
}
