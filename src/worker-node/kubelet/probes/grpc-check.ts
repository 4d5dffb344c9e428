/** Asks a container by gRPC's health protocol; the two messages are small enough to be read and written by hand. */
import http2 from 'node:http2'
import { isIPv6 } from 'node:net'

export type GrpcHealth =
  | { readonly answer: 'status'; readonly serving: boolean; readonly status: string }
  | { readonly answer: 'error'; readonly code: number; readonly message: string }

const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** Throws when no connection could be made or the signal aborted. */
export function grpcCheck(
  target: { readonly host: string; readonly port: number; readonly service: string },
  options: { readonly userAgent: string; readonly signal: AbortSignal },
): Promise<GrpcHealth> {
  const { host, port, service } = target
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`)
    const onAbort = (): void => fail(options.signal.reason)
    const finish = (): void => {
      options.signal.removeEventListener('abort', onAbort)
      session.destroy()
    }
    const fail = (error: unknown): void => {
      finish()
      reject(error)
    }
    options.signal.addEventListener('abort', onAbort, { once: true })
    session.on('error', fail)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': options.userAgent,
      te: 'trailers',
    })
    const chunks: Buffer[] = []
    let outcome: http2.IncomingHttpHeaders = {}
    const note = (headers: http2.IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) outcome = headers
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('error', fail)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      finish()
      resolve(readAnswer(Buffer.concat(chunks), outcome))
    })
    stream.end(requestFrame(service))
  })
}

/** HealthCheckRequest{service = 1}. */
function requestFrame(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

/** HealthCheckResponse{status = 1}; a zero status is not written at all. */
function readAnswer(body: Buffer, outcome: http2.IncomingHttpHeaders): GrpcHealth {
  const code = Number(outcome['grpc-status'] ?? 2)
  if (code !== 0) return { answer: 'error', code, message: decodeURIComponent(String(outcome['grpc-message'] ?? '')) }
  const status = body.length > 6 && body[5] === 0x08 ? body[6]! : 0
  return { answer: 'status', serving: status === 1, status: STATUS_NAMES[status] ?? String(status) }
}
