/** Takes the word of a front proxy for who sends a request: the user comes in headers, the proxy shows its certificate. */
import type { ApiRequest, UserInfo } from '../request.ts'
import type { RequestHeaderSettings } from '../settings.ts'
import { isCurrent } from './certificate-time.ts'
import { unescapeKey } from './unescape-key.ts'

type RawHeaders = readonly (readonly [name: string, value: string])[]

/** Null where no front proxy speaks, or none that may. */
export function requestHeaderUser(
  request: ApiRequest,
  settings: RequestHeaderSettings,
  nowMs: number,
): UserInfo | null {
  const { connection } = request
  const certificate = connection?.certificate() ?? null
  if (connection === undefined || certificate === null || !certificate.isFrontProxy) return null
  if (!isCurrent(certificate, nowMs)) return null
  if (settings.allowedNames.length > 0 && !settings.allowedNames.includes(certificate.commonName)) return null
  const { rawHeaders } = connection
  const name = firstOf(rawHeaders, settings.usernameHeaders)
  if (name === '') return null
  return {
    name,
    uid: firstOf(rawHeaders, settings.uidHeaders),
    groups: settings.groupHeaders.flatMap((header) => valuesOf(rawHeaders, header)).filter((group) => group !== ''),
    extra: extraOf(rawHeaders, settings.extraHeaderPrefixes),
  }
}

/** Upstream's names, which go whatever names the server was told to believe. */
const STANDARD: UserHeaders = {
  usernameHeaders: ['x-remote-user'],
  uidHeaders: ['x-remote-uid'],
  groupHeaders: ['x-remote-group'],
  extraHeaderPrefixes: ['x-remote-extra-'],
}

type UserHeaders = Pick<
  RequestHeaderSettings,
  'usernameHeaders' | 'uidHeaders' | 'groupHeaders' | 'extraHeaderPrefixes'
>

/** Makes a request one without such headers, whoever sent them: to whom it is passed on, only this server's word counts. */
export function createHeaderFilter(settings: RequestHeaderSettings | null): (request: ApiRequest) => ApiRequest {
  const sets = settings === null ? [STANDARD] : [STANDARD, settings]
  const names = new Set(sets.flatMap((one) => [...one.usernameHeaders, ...one.uidHeaders, ...one.groupHeaders]))
  const prefixes = sets.flatMap(({ extraHeaderPrefixes }) => extraHeaderPrefixes)
  const isOfUser = (name: string): boolean => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
  return (request) => {
    if (!Object.keys(request.headers).some(isOfUser)) return request
    const { connection } = request
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !isOfUser(name)))
    if (connection === undefined) return { ...request, headers }
    const rawHeaders = connection.rawHeaders.filter(([name]) => !isOfUser(name.toLowerCase()))
    return { ...request, headers, connection: { ...connection, rawHeaders } }
  }
}

const valuesOf = (headers: RawHeaders, name: string): string[] =>
  headers.filter(([raw]) => raw.toLowerCase() === name).map(([, value]) => value)

/** The first value of the first header that says something. */
const firstOf = (headers: RawHeaders, names: readonly string[]): string =>
  names.map((name) => valuesOf(headers, name)[0] ?? '').find((value) => value !== '') ?? ''

function extraOf(headers: RawHeaders, prefixes: readonly string[]): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  for (const prefix of prefixes)
    for (const [raw, value] of headers) {
      const name = raw.toLowerCase()
      if (name.startsWith(prefix)) (extra[unescapeKey(name.slice(prefix.length))] ??= []).push(value)
    }
  return extra
}
