/** Headers that every answer carries because of how the server is set up: for browsers of other origins, and for HTTPS alone. */
import type { ApiRequest, ApiResponse } from '../request.ts'
import type { ApiServerSettings } from '../settings.ts'

export type FrontSettings = Pick<ApiServerSettings, 'corsAllowedOrigins' | 'strictTransportSecurity'>

const CORS_HEADERS = {
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'Access-Control-Allow-Headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'Access-Control-Expose-Headers': 'Date',
  'Access-Control-Allow-Credentials': 'true',
}

export function frontHeaders(settings: FrontSettings, headers: ApiRequest['headers']): Record<string, string> {
  const origin = allowedOrigin(settings, headers)
  return {
    ...(origin === null ? {} : { 'Access-Control-Allow-Origin': origin, ...CORS_HEADERS }),
    ...(settings.strictTransportSecurity === ''
      ? {}
      : { 'Strict-Transport-Security': settings.strictTransportSecurity }),
  }
}

/** The answer to a browser that asks whether it may ask; null for every other request. */
export function preflightAnswer(settings: FrontSettings, request: ApiRequest): ApiResponse | null {
  if (request.method !== 'OPTIONS' || allowedOrigin(settings, request.headers) === null) return null
  return { code: 204, body: { form: 'raw', contentType: '', content: '' } }
}

function allowedOrigin({ corsAllowedOrigins }: FrontSettings, headers: ApiRequest['headers']): string | null {
  const origin = corsAllowedOrigins.length === 0 ? undefined : headers['origin']
  return origin !== undefined && corsAllowedOrigins.some((pattern) => pattern.test(origin)) ? origin : null
}
