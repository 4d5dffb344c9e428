/** Checks the schedule of a CronJob: five fields, or a word such as `@hourly`. */

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

const WORDS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])
const DURATION =
  /^[+-]?(?:0|(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*)$/

class ScheduleError extends Error {}

/** Why the text is no schedule; empty when it is one. */
export function scheduleProblem(schedule: string): string {
  try {
    checkSchedule(schedule)
    return ''
  } catch (error) {
    if (error instanceof ScheduleError) return error.message
    throw error
  }
}

function checkSchedule(schedule: string): void {
  if (schedule === '') throw new ScheduleError('empty spec string')
  const text = withoutTimeZone(schedule)
  if (text.startsWith('@')) {
    checkWord(text)
    return
  }
  const fields = text.split(/\s+/).filter((field) => field !== '')
  if (fields.length !== FIELDS.length) {
    const found = `found ${fields.length}: [${fields.join(' ')}]`
    throw new ScheduleError(`expected exactly ${FIELDS.length} fields, ${found}`)
  }
  for (const [i, field] of fields.entries())
    for (const range of field.split(',')) if (range !== '') checkRange(range, FIELDS[i]!)
}

function withoutTimeZone(schedule: string): string {
  if (!schedule.startsWith('TZ=') && !schedule.startsWith('CRON_TZ=')) return schedule
  const end = schedule.indexOf(' ')
  const name = schedule.slice(schedule.indexOf('=') + 1, end === -1 ? undefined : end)
  if (end === -1) throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`)
  return schedule.slice(end).trim()
}

function checkWord(text: string): void {
  if (WORDS.has(text)) return
  if (!text.startsWith('@every ')) throw new ScheduleError(`unrecognized descriptor: ${text}`)
  const duration = text.slice('@every '.length)
  if (DURATION.test(duration)) return
  const problem = `time: invalid duration ${JSON.stringify(duration)}`
  throw new ScheduleError(`failed to parse duration ${text}: ${problem}`)
}

/** `*`, `5`, `1-5`, each with `/2` behind it. */
function checkRange(expression: string, { min, max, names }: Bounds): void {
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
