/** Requests and users for the tests of the server's stages. */
import { parseRequestInfo } from './request-info.ts'
import type { ApiRequest, ApiResponse, ClientCertificate, RequestConnection, UserInfo } from './request.ts'

export const userOf = (name: string, ...groups: string[]): UserInfo => ({ name, uid: '', groups, extra: {} })

export type TestRequest = {
  readonly user?: UserInfo
  readonly headers?: Readonly<Record<string, string>>
  readonly rawHeaders?: readonly (readonly [string, string])[]
  readonly certificate?: ClientCertificate
  readonly body?: string
  readonly isHttp2?: boolean
}

export function requestOf(method: string, target: string, options: TestRequest = {}): ApiRequest {
  const { pathname, searchParams } = new URL(target, 'https://server')
  const rawHeaders = options.rawHeaders ?? Object.entries(options.headers ?? {})
  const connection: RequestConnection = {
    certificate: () => options.certificate ?? null,
    readBody: async () => Buffer.from(options.body ?? ''),
    bodyStream: async function* () {
      yield Buffer.from(options.body ?? '')
    },
    rawHeaders,
    upgrade: false,
    isHttp2: options.isHttp2 ?? false,
  }
  return {
    method,
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(rawHeaders.map(([name, value]) => [name.toLowerCase(), value])),
    body: { form: 'none' },
    info: parseRequestInfo(method, pathname, searchParams),
    user: options.user ?? userOf(''),
    signal: new AbortController().signal,
    warnings: new Set(),
    remoteAddress: '192.0.2.1',
    connection,
  }
}

export const OK: ApiResponse = { code: 200, body: { form: 'object', object: {} } }
