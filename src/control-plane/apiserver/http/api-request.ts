/** Makes the chain's request out of an HTTP exchange. */
import type { Readable } from 'node:stream'
import { badRequest, StatusError } from '#machinery/status-error.ts'
import type { ApiRequest, RequestConnection, UserInfo } from '../request.ts'
import { parseRequestInfo } from '../request-info.ts'
import type { ClientCertificates } from './client-certificate.ts'
import type { Exchange } from './exchange.ts'

/** Upstream's limit of a request body: twice etcd's limit of a value. */
export const REQUEST_BODY_BYTES_MAX = 3 * 1024 * 1024

export const NOBODY: UserInfo = { name: '', uid: '', groups: [], extra: {} }

export type ArrivalFacts = {
  readonly certificates: ClientCertificates
  readonly auditId: string
  readonly receivedMs: number
}

export function createApiRequest(
  exchange: Exchange,
  signal: AbortSignal,
  { certificates, auditId, receivedMs }: ArrivalFacts,
): ApiRequest {
  const { path, query } = parseTarget(exchange.target)
  return {
    method: exchange.method,
    path,
    query,
    headers: joinHeaders(exchange.rawHeaders),
    body: { form: 'none' },
    info: parseRequestInfo(exchange.method, path, query),
    user: NOBODY,
    signal,
    warnings: new Set(),
    answerHeaders: {},
    remoteAddress: exchange.socket.remoteAddress ?? '',
    target: exchange.target,
    auditId,
    receivedMs,
    connection: createConnection(exchange, certificates),
  }
}

export function parseTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?')
  const rawPath = mark === -1 ? target : target.slice(0, mark)
  try {
    return {
      path: rawPath.includes('%') ? decodeURIComponent(rawPath) : rawPath,
      query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    }
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(rawPath)}`)
  }
}

/** Several lines of one name become one, as HTTP allows. */
function joinHeaders(raw: Exchange['rawHeaders']): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of raw) {
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return headers
}

function createConnection(exchange: Exchange, certificates: ClientCertificates): RequestConnection {
  return {
    certificate: () => certificates.of(exchange.socket),
    readBody: () => readBody(exchange.body),
    bodyStream: () => exchange.body,
    rawHeaders: exchange.rawHeaders,
    upgrade: exchange.upgrade !== null,
    isHttp2: exchange.isHttp2,
  }
}

/** Leaves the stream open when the body is too large: with it the answer would go. */
async function readBody(body: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > REQUEST_BODY_BYTES_MAX) throw bodyTooLarge()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? Buffer.from(chunks[0]!) : Buffer.concat(chunks)
}

function bodyTooLarge(): StatusError {
  return new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${REQUEST_BODY_BYTES_MAX}`,
  })
}
