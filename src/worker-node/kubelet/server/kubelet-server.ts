/** The kubelet's HTTPS API: logs, exec, attach, port-forward, pods, statistics; authenticated and authorized. */
import { createServer, type Server } from 'node:https'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client } from '#client/client.ts'
import type { KubeletServerOptions } from '../kubelet-options.ts'
import { Authentication } from './authentication.ts'
import { Authorization } from './authorization.ts'
import { HttpError } from './http-error.ts'
import { serveContainerLogs } from './routes/container-logs.ts'
import { serveMetrics } from './routes/metrics.ts'
import { serveNodeLogs } from './routes/node-logs.ts'
import { servePods, serveRunningPods } from './routes/pods.ts'
import { statsRoutes } from './routes/stats.ts'
import { serveAttach, serveExec, servePortForwarding } from './routes/streaming.ts'
import type { Call, RequestHandler, ServerContext, UpgradeHandler } from './server-context.ts'

const UPGRADES: Readonly<Record<string, UpgradeHandler>> = {
  exec: serveExec,
  attach: serveAttach,
  portForward: servePortForwarding,
}

export class KubeletServer {
  readonly #context: ServerContext
  readonly #options: KubeletServerOptions
  readonly #authentication: Authentication
  readonly #authorization: Authorization
  readonly #routes: Readonly<Record<string, RequestHandler>>
  #server: Server | null = null

  constructor(context: ServerContext, client: Client, options: KubeletServerOptions) {
    this.#context = context
    this.#options = options
    this.#authentication = new Authentication(client, context.clock)
    this.#authorization = new Authorization(client, context.clock, context.nodeName)
    const { summary, resource } = statsRoutes(context)
    this.#routes = {
      healthz: serveHealth,
      containerLogs: serveContainerLogs,
      pods: servePods,
      runningpods: serveRunningPods,
      logs: serveNodeLogs,
      'stats/summary': summary,
      metrics: serveMetrics,
      'metrics/resource': resource,
    }
  }

  /** The port it listens on. */
  async start(): Promise<number> {
    const { certificate: cert, privateKey: key, clientCa, address, port } = this.#options
    const ca = clientCa === '' ? {} : { ca: clientCa }
    const server = createServer({
      cert,
      key,
      ...ca,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    })
    server.on('request', (request, response) => void this.#serve(request, response))
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => void this.#upgrade(request, socket, head))
    server.on('tlsClientError', () => {}) // A port scanner is no news.
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, address, resolve)
    })
    return (server.address() as AddressInfo).port
  }

  stop(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Error('the client is gone')))
    try {
      const call = await this.#admit(request, gone.signal)
      const [first = '', second = ''] = call.url.pathname.split('/').filter((part) => part !== '')
      const handler = this.#routes[`${first}/${second}`] ?? this.#routes[first]
      if (handler) await handler(this.#context, call, response)
      else if (UPGRADES[first]) throw new HttpError(400, 'Upgrade request required')
      else throw new HttpError(404, '404 page not found')
    } catch (error) {
      if (gone.signal.aborted) return
      const { code, message } = this.#describe(error, request)
      if (response.headersSent) response.destroy()
      else response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(message)
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const gone = new AbortController()
    socket.on('error', () => {}) // Followed by close.
    socket.on('close', () => gone.abort(new Error('the client is gone')))
    try {
      const call = await this.#admit(request, gone.signal)
      const [first = ''] = call.url.pathname.split('/').filter((part) => part !== '')
      const handler = UPGRADES[first]
      if (!handler) throw new HttpError(404, '404 page not found')
      await handler(this.#context, call, { socket, head })
    } catch (error) {
      if (socket.destroyed) return
      const { code, message } = this.#describe(error, request)
      const body = Buffer.from(message)
      socket.end(
        `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${message}`,
      )
    }
  }

  async #admit(request: IncomingMessage, signal: AbortSignal): Promise<Call> {
    const url = new URL(request.url ?? '/', 'https://kubelet')
    const caller = await this.#authentication.authenticate(request)
    if (!caller) throw new HttpError(401, 'Unauthorized')
    const method = request.method ?? 'GET'
    if (!(await this.#authorization.isAllowed(caller, method, url.pathname)))
      throw new HttpError(
        403,
        `Forbidden (user=${caller.name}, verb=${method === 'POST' ? 'create' : 'get'}, resource=nodes, subresource(s)=[proxy])`,
      )
    const parts = url.pathname
      .split('/')
      .filter((part) => part !== '')
      .slice(1)
    return { request, url, parts, signal }
  }

  #describe(error: unknown, request: IncomingMessage): { readonly code: number; readonly message: string } {
    if (error instanceof HttpError) return error
    this.#context.log.warn('request to the kubelet failed', { path: request.url, error: String(error) })
    return { code: 500, message: (error as Error).message }
  }
}

const serveHealth: RequestHandler = (_context, _call, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok')
  return Promise.resolve()
}
