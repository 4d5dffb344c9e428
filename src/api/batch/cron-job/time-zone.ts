/** Time zones of CronJobs: names of the IANA database. */

const PART = /^[A-Za-z._0-9+-]{1,14}$/

/** Why the name is no time zone; empty when it is one. */
export function timeZoneProblem(name: string): string {
  if (name === '') return 'timeZone must be nil or non-empty string'
  const isWellFormed = name
    .split('/')
    .every((part) => part !== '.' && part !== '..' && !part.startsWith('-') && PART.test(part))
  if (!isWellFormed) return `unknown time zone ${name}`
  if (name.toLowerCase() === 'local')
    return 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
  return isKnownTimeZone(name) ? '' : `unknown time zone ${name}`
}

export function isKnownTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
