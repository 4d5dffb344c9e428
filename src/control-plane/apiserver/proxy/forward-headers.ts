/** Which headers of a client travel on to a kubelet, pod or service: none that speak of this connection or of who asks. */
import type { RequestConnection } from '../request.ts'

const OF_THIS_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'http2-settings',
  'sec-websocket-protocol',
])

const isCredential = (name: string): boolean => name === 'authorization' || name.startsWith('impersonate-')

/** A token that came as a WebSocket subprotocol stays here as well. */
const TOKEN_PROTOCOL = /base64url\.bearer\.authorization\.k8s\.io\.[^,\s]*\s*,?\s*/g

type RawHeaders = RequestConnection['rawHeaders']

export function forwardedHeaders(raw: RawHeaders, forwardedFor: string): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of raw) {
    const key = name.toLowerCase()
    if (!OF_THIS_CONNECTION.has(key) && !isCredential(key)) (headers[key] ??= []).push(value)
  }
  if (forwardedFor !== '')
    headers['x-forwarded-for'] = [[...(headers['x-forwarded-for'] ?? []), forwardedFor].join(', ')]
  return headers
}

/** Headers of an upgrade: those that ask for it stay. What follows the head is no body, so nothing speaks of one. */
export function upgradeHeaders(raw: RawHeaders): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of raw) {
    const key = name.toLowerCase()
    if (OF_A_BODY.has(key) || key === 'host' || isCredential(key)) continue
    const kept = key === 'sec-websocket-protocol' ? value.replace(TOKEN_PROTOCOL, '').replace(/,\s*$/, '') : value
    if (kept !== '') (headers[key] ??= []).push(kept)
  }
  return headers
}

const OF_A_BODY = new Set(['content-length', 'transfer-encoding'])

/** Headers of an answer that go back to the client. */
export function answeredHeaders(raw: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(raw))
    if (value !== undefined && !OF_THIS_CONNECTION.has(name))
      headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}
