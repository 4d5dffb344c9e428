/** Takes the word of a front proxy for who sends a request: the user comes in headers, the proxy shows its certificate. */
import type { ApiRequest, UserInfo } from '../request.ts'
import type { RequestHeaderSettings } from '../settings.ts'
import { unescapeKey } from './unescape-key.ts'

type RawHeaders = readonly (readonly [name: string, value: string])[]

/** Null where no front proxy speaks, or none that may. */
export function requestHeaderUser(request: ApiRequest, settings: RequestHeaderSettings): UserInfo | null {
  const { connection } = request
  const certificate = connection?.certificate() ?? null
  if (connection === undefined || certificate === null || !certificate.isFrontProxy) return null
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

/** The request without those headers: they are nothing for whom it is passed on to. */
export function withoutUserHeaders(request: ApiRequest, settings: RequestHeaderSettings): ApiRequest {
  const names = new Set([...settings.usernameHeaders, ...settings.uidHeaders, ...settings.groupHeaders])
  const isOfUser = (name: string): boolean =>
    names.has(name) || settings.extraHeaderPrefixes.some((prefix) => name.startsWith(prefix))
  const connection = request.connection!
  return {
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !isOfUser(name))),
    connection: {
      ...connection,
      rawHeaders: connection.rawHeaders.filter(([name]) => !isOfUser(name.toLowerCase())),
    },
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
