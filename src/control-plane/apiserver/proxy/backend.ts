/** Sends requests on to a backend: whole ones over HTTP, upgrades as a tunnel of raw bytes. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { Socket } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'
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

/** The backend's answer, its body still to be read. Throws BackendUnreachableError. */
export function sendToBackend(request: BackendRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(request, { signal: request.signal })
    outgoing.on('response', resolve)
    outgoing.on('error', (error) => reject(new BackendUnreachableError(error, request)))
    if (request.body === null) outgoing.end()
    else pipeline(request.body, outgoing, () => {}) // The error event above tells of a failure.
  })
}

function openRequest(
  { endpoint, method, target, headers }: Omit<BackendRequest, 'body' | 'signal'>,
  options: Pick<RequestOptions, 'signal' | 'agent'>,
): ClientRequest {
  return (endpoint.scheme === 'https' ? httpsRequest : httpRequest)({
    host: endpoint.host,
    port: endpoint.port,
    method,
    path: target,
    headers: { ...headers, host: authority(endpoint) } as Record<string, string | string[]>,
    ...options,
    ...(endpoint.scheme === 'https' ? tlsOptions(endpoint) : {}),
  })
}

/** A backend that cannot be reached, or leaves before it answers. */
export class BackendUnreachableError extends Error {
  /** Go's words for what happened: `dial tcp 10.244.0.2:80: connect: connection refused`. */
  readonly reason: string
  constructor(error: NodeJS.ErrnoException, { endpoint, target }: BackendRequest) {
    const reason = describeDial(error, endpoint)
    super(`Get ${JSON.stringify(`${endpoint.scheme}://${authority(endpoint)}${target}`)}: ${reason}`)
    this.reason = reason
  }
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

/**
 * Sends the upgrade request on. A backend that agrees gets the client's connection; what it answers instead goes back and ends
 * the connection, for whatever the client said next would reach the backend with this server's credentials.
 */
export function tunnel(connection: UpgradeConnection, request: Omit<BackendRequest, 'body' | 'signal'>): void {
  const { socket, head } = connection
  const outgoing = openRequest(request, { agent: false })
  const leave = (): void => void outgoing.destroy()
  socket.once('close', leave)
  outgoing.once('error', (error) => {
    const message = `error dialing backend: ${describeDial(error, request.endpoint)}`
    refuse(socket, new StatusError({ code: 500, reason: '', message }))
  })
  outgoing.once('upgrade', (answer, backend, backendHead) => {
    socket.off('close', leave)
    if ('setNoDelay' in backend) (backend as Socket).setNoDelay(true)
    socket.write(headOf(answer, answer.rawHeaders))
    if (backendHead.length > 0) socket.write(backendHead)
    if (head.length > 0) backend.write(head)
    join(socket, backend)
    join(backend, socket)
  })
  outgoing.once('response', (answer) => {
    socket.write(headOf(answer, [...endingHeaders(answer.rawHeaders), 'Connection', 'close']))
    answer.once('error', () => socket.destroy())
    answer.pipe(socket)
    discardInput(socket)
  })
  outgoing.end()
}

function headOf({ statusCode, statusMessage }: IncomingMessage, rawHeaders: readonly string[]): string {
  let head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`
  for (const [name, value] of headerPairs(rawHeaders)) head += `${name}: ${value}\r\n`
  return `${head}\r\n`
}

function headerPairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]!] as [string, string]] : []))
}

/** The body goes out as it is read, until the connection ends: its framing was that of the other connection. */
function endingHeaders(raw: readonly string[]): string[] {
  return headerPairs(raw)
    .filter(([name]) => !OF_CONNECTION.has(name.toLowerCase()))
    .flat()
}

const OF_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding'])

/** Bytes flow from one to the other; an end passes on what is still under way, a failure does not wait for it. */
function join(from: Duplex, to: Duplex): void {
  from.pipe(to)
  from.once('error', () => to.destroy())
  from.once('close', () => to.end())
}

/** What the client still says is read and dropped: unread bytes would hide its leaving, and keep the connection for ever. */
const discardInput = (socket: Duplex): void => void socket.resume()

function refuse(socket: Duplex, error: StatusError): void {
  discardInput(socket)
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
