/** /statusz: since when the server runs, and what it is. */
import type { Clock } from '#base/clock.ts'
import type { Handler } from '../request.ts'
import { VERSION } from '../version.ts'
import { answerPage, PAGE_COMPONENT, PAGE_WARNING } from './answer.ts'

/** Other pages that help to see what the server does. */
const PATHS = ['/flagz', '/healthz', '/livez', '/metrics', '/readyz', '/statusz', '/version']
const SECONDS_PER_HOUR = 3600
const SECONDS_PER_MINUTE = 60

/** `startMs` is the time of the clock when the server started. */
export function createStatuszHandler(clock: Clock, startMs: number): Handler {
  const binaryVersion = VERSION.gitVersion.replace(/^v/, '').replace(/\+.*$/, '')
  const emulationVersion = `${VERSION.emulationMajor}.${VERSION.emulationMinor}`
  return async (request) => {
    const uptimeSeconds = Math.floor((clock.now() - startMs) / 1000)
    const startTime = new Date(startMs).toISOString().replace(/\.\d+Z$/, 'Z')
    const fields = {
      startTime,
      uptimeSeconds,
      goVersion: VERSION.goVersion,
      binaryVersion,
      emulationVersion,
      paths: PATHS,
    }
    const text = [
      '',
      `${PAGE_COMPONENT} statusz`,
      PAGE_WARNING,
      '',
      `Started: ${unixDate(startMs)}`,
      `Up: ${uptime(uptimeSeconds)}`,
      `Go version: ${VERSION.goVersion}`,
      `Binary version: ${binaryVersion}`,
      `Emulation version: ${emulationVersion}`,
      `Paths: ${PATHS.join(' ')}`,
      '',
    ].join('\n')
    return answerPage(request, { kind: 'Statusz', text, fields })
  }
}

function uptime(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const [hours, rest] = [Math.floor(seconds / SECONDS_PER_HOUR), seconds % SECONDS_PER_HOUR]
  return `${hours} hr ${two(rest / SECONDS_PER_MINUTE)} min ${two(rest % SECONDS_PER_MINUTE)} sec`
}

/** `Tue Nov 24 22:30:07 UTC 2026`. */
function unixDate(ms: number): string {
  const [weekday, day, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} UTC ${year}`
}
