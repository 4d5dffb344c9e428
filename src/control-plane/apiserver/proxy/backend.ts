/** Sends requests on to a backend: whole ones over HTTP, upgrades as a tunnel of raw bytes. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { StatusError } from '#machinery/status-error.ts'
import type { UpgradeConnection } from '../request.ts'
import { authority, type Endpoint } from './kubelet-endpoint.ts'

export type BackendRequest = {
  readonly endpoint: Endpoint
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string[]>>
  readonly body: AsyncIterable<Uint8Array> | null
  readonly signal: AbortSignal
}

type TlsOptions = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>

const tlsOptions = ({ tls }: Endpoint): TlsOptions =>
  tls === 'insecure'
    ? { rejectUnauthorized: false }
    : { ca: tls.certificateAuthority, cert: tls.certificate, key: tls.privateKey }

/** The backend's answer, its body still to be read. Throws StatusError 503 or 500 when it cannot be reached. */
export function sendToBackend(request: BackendRequest): Promise<IncomingMessage> {
  const { endpoint, method, target, signal } = request
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      host: endpoint.host,
      port: endpoint.port,
      method,
      path: target,
      headers: { ...request.headers, host: authority(endpoint) } as Record<string, string | string[]>,
      signal,
      ...(endpoint.scheme === 'https' ? tlsOptions(endpoint) : {}),
    }
    const outgoing = (endpoint.scheme === 'https' ? httpsRequest : httpRequest)(options, resolve)
    outgoing.on('error', (error) => reject(dialError(error, request)))
    if (request.body === null) outgoing.end()
    else pipeline(request.body, outgoing, () => {}) // The error event above tells of a failure.
  })
}

function dialError(error: NodeJS.ErrnoException, { endpoint, target }: BackendRequest): StatusError {
  const url = `${endpoint.scheme}://${authority(endpoint)}${target}`
  return new StatusError({
    code: 500,
    reason: '',
    message: `Get ${JSON.stringify(url)}: ${describeDial(error, endpoint)}`,
  })
}

/** Go's words for the usual failures to connect. */
function describeDial(error: NodeJS.ErrnoException, endpoint: Endpoint): string {
  const dial = `dial tcp ${authority(endpoint)}`
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${dial}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `${dial}: connect: no route to host`
    case 'ETIMEDOUT':
      return `${dial}: i/o timeout`
    default:
      return error.message
  }
}

/** Connects, sends the upgrade request on, and joins the two connections; what the backend answers goes back as it is. */
export async function tunnel(
  connection: UpgradeConnection,
  upgrade: {
    readonly endpoint: Endpoint
    readonly method: string
    readonly target: string
    readonly headerLines: readonly string[]
  },
): Promise<void> {
  const { socket, head } = connection
  const { endpoint } = upgrade
  let backend: Duplex
  try {
    backend = await dial(endpoint)
  } catch (error) {
    const message = `error dialing backend: ${describeDial(error as NodeJS.ErrnoException, endpoint)}`
    return refuse(socket, new StatusError({ code: 500, reason: '', message }))
  }
  const lines = [`${upgrade.method} ${upgrade.target} HTTP/1.1`, `Host: ${authority(endpoint)}`, ...upgrade.headerLines]
  backend.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) backend.write(head)
  join(socket, backend)
  join(backend, socket)
}

/** Bytes flow from one to the other; an end passes on what is still under way, a failure does not wait for it. */
function join(from: Duplex, to: Duplex): void {
  from.pipe(to)
  from.once('error', () => to.destroy())
  from.once('close', () => to.end())
}

function dial(endpoint: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const { host, port } = endpoint
    const socket =
      endpoint.scheme === 'https'
        ? connectTls({ host, port, ...tlsOptions(endpoint) } as never)
        : connectTcp({ host, port })
    socket.once('error', reject)
    socket.once(endpoint.scheme === 'https' ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject)
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}

function refuse(socket: Duplex, error: StatusError): void {
  const body = `${JSON.stringify(error.toStatus())}\n`
  socket.end(
    [
      `HTTP/1.1 ${error.code} Internal Server Error`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
