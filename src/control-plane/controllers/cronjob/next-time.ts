/** When a schedule comes due next: the walk of robfig/cron, also where summer time skips or repeats an hour. */
import type { FieldSchedule, Schedule } from '#api/batch/cron-job/schedule.ts'
import { timeAt, wallTimeAt, type WallTime } from './wall-clock.ts'

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000]
/** A schedule that names no day within this time (February 30) names none. */
const SEARCH_YEARS = 5

/** The first time after `afterMs`; null when there is none. `timeZone` is for a schedule that names none itself. */
export function nextTime(schedule: Schedule, timeZone: string, afterMs: number): number | null {
  const second = Math.floor(afterMs / SECOND_MS) * SECOND_MS
  if ('everySeconds' in schedule) return second + schedule.everySeconds * SECOND_MS
  return new Walk(schedule, schedule.timeZone ?? timeZone, second + SECOND_MS).run()
}

class Walk {
  readonly #schedule: FieldSchedule
  readonly #timeZone: string
  #atMs: number
  /** Whether the smaller fields are at their start: that happens once, before the first step. */
  #isAligned = false

  constructor(schedule: FieldSchedule, timeZone: string, atMs: number) {
    this.#schedule = schedule
    this.#timeZone = timeZone
    this.#atMs = atMs
  }

  run(): number | null {
    const yearMax = this.#wall.year + SEARCH_YEARS
    while (this.#wall.year <= yearMax)
      if (this.#toMonth() && this.#toDay() && this.#toHour() && this.#toMinute()) return this.#atMs
    return null
  }

  get #wall(): ReturnType<typeof wallTimeAt> {
    return wallTimeAt(this.#timeZone, this.#atMs)
  }

  #set(wall: WallTime): void {
    this.#atMs = timeAt(this.#timeZone, wall)
  }

  #align(start: Partial<WallTime>): void {
    if (this.#isAligned) return
    this.#isAligned = true
    this.#set({ ...this.#wall, second: 0, minute: 0, ...start })
  }

  /** False when a new year has begun: all fields have to be looked at again. The same goes for the smaller ones. */
  #toMonth(): boolean {
    while (!this.#schedule.months.has(this.#wall.month)) {
      this.#align({ day: 1, hour: 0 })
      const wall = this.#wall
      this.#set({ ...wall, month: wall.month + 1 })
      if (this.#wall.month === 1) return false
    }
    return true
  }

  #toDay(): boolean {
    while (!this.#isDay()) {
      this.#align({ hour: 0 })
      const wall = this.#wall
      this.#set({ ...wall, day: wall.day + 1 })
      // Where summer time begins at midnight, the day begins at one, or the step fell short.
      const { hour } = this.#wall
      if (hour > 12) this.#atMs += (24 - hour) * HOUR_MS
      else this.#atMs -= hour * HOUR_MS
      if (this.#wall.day === 1) return false
    }
    return true
  }

  #isDay(): boolean {
    const { daysOfMonth, daysOfWeek, needsBothDays } = this.#schedule
    const { day, weekday } = this.#wall
    return needsBothDays
      ? daysOfMonth.has(day) && daysOfWeek.has(weekday)
      : daysOfMonth.has(day) || daysOfWeek.has(weekday)
  }

  #toHour(): boolean {
    while (!this.#schedule.hours.has(this.#wall.hour)) {
      this.#align({})
      this.#atMs += HOUR_MS
      if (this.#wall.hour === 0) return false
    }
    return true
  }

  #toMinute(): boolean {
    while (!this.#schedule.minutes.has(this.#wall.minute)) {
      this.#isAligned = true
      this.#atMs = Math.floor(this.#atMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS
      if (this.#wall.minute === 0) return false
    }
    const { second } = this.#wall
    if (second === 0) return true
    this.#isAligned = true
    this.#atMs += MINUTE_MS - second * SECOND_MS
    return false
  }
}
