/** /debug/pprof: profiles of the running server, in the format that Chrome's developer tools and speedscope read. */
import { Session } from 'node:inspector/promises'
import { getHeapSnapshot } from 'node:v8'
import type { Clock } from '#base/clock.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import type { PathHandler } from '../routes.ts'

const PREFIX = '/debug/pprof'
const SECONDS_DEFAULT = 30
/** The samples stand in memory until the end. */
const SECONDS_MAX = 600
/** Names of the profiles there are, with what each tells. */
const PROFILES = {
  heap: 'every object of the heap (.heapsnapshot); the server answers nothing else while it is taken',
  profile: 'where time is spent, for ?seconds= (.cpuprofile)',
} as const

export function createPprofHandler(clock: Clock): PathHandler {
  let isProfiling = false
  const profile = async (request: ApiRequest): Promise<ApiResponse> => {
    const seconds = secondsOf(request.query)
    if (seconds > SECONDS_MAX) return refusal(400, `profile duration exceeds ${SECONDS_MAX} seconds`)
    if (isProfiling) return refusal(500, 'Could not enable CPU profiling: cpu profiling already in use')
    isProfiling = true
    try {
      return attachment('profile', await profileCpu(clock, seconds, request.signal))
    } finally {
      isProfiling = false
    }
  }
  const answer = async (request: ApiRequest): Promise<ApiResponse> => {
    switch (request.path.slice(PREFIX.length + 1)) {
      case '':
        return INDEX
      case 'profile':
        return profile(request)
      case 'heap':
        return attachment('heap', getHeapSnapshot())
      default:
        return refusal(404, 'Unknown profile')
    }
  }
  return Object.assign(answer, { matches: (path: string) => path === PREFIX || path.startsWith(`${PREFIX}/`) })
}

async function profileCpu(clock: Clock, seconds: number, signal: AbortSignal): Promise<string> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await clock.sleep(seconds * 1000, signal)
    const { profile } = await session.post('Profiler.stop')
    return JSON.stringify(profile)
  } finally {
    session.disconnect()
  }
}

function secondsOf(query: URLSearchParams): number {
  const seconds = Number(query.get('seconds'))
  return Number.isFinite(seconds) && seconds > 0 ? seconds : SECONDS_DEFAULT
}

const attachment = (name: string, content: string | AsyncIterable<Uint8Array>): ApiResponse => ({
  code: 200,
  headers: { 'Content-Disposition': `attachment; filename="${name}"`, 'X-Content-Type-Options': 'nosniff' },
  body: { form: 'raw', contentType: 'application/octet-stream', content },
})

const refusal = (code: number, content: string): ApiResponse => ({
  code,
  headers: { 'X-Content-Type-Options': 'nosniff', 'X-Go-Pprof': '1' },
  body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: `${content}\n` },
})

const ROWS = Object.entries(PROFILES).map(([name, what]) => `<li><a href="${PREFIX}/${name}">${name}</a>: ${what}</li>`)

const INDEX: ApiResponse = {
  code: 200,
  headers: { 'X-Content-Type-Options': 'nosniff' },
  body: {
    form: 'raw',
    contentType: 'text/html; charset=utf-8',
    content: `<html><head><title>${PREFIX}/</title></head><body><ul>${ROWS.join('')}</ul></body></html>\n`,
  },
}
