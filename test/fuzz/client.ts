/** Sends fuzzed requests over one HTTP/2 connection and some HTTP/1.1 ones, with the credentials of a kubeconfig. */
import { connect, type ClientHttp2Session } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { loadKubeconfig, type ConnectionConfig } from '#client/kubeconfig.ts'
import type { FuzzRequest } from './request.ts'

export type FuzzAnswer = {
  readonly code: number
  readonly type: string
  readonly encoding: string
  readonly body: Buffer
}

const ANSWER_LIMIT_MS = 30_000

export class FuzzClient {
  readonly #config: ConnectionConfig
  readonly #agent: Agent
  #session: ClientHttp2Session | null = null
  private constructor(config: ConnectionConfig) {
    this.#config = config
    const { certificateAuthority: ca, clientCertificate: cert, clientKey: key } = config
    this.#agent = new Agent({ keepAlive: true, ca, cert, key })
  }

  static async of(kubeconfig: string): Promise<FuzzClient> {
    return new FuzzClient(await loadKubeconfig(kubeconfig))
  }

  /** Null: the connection broke before the answer was there. */
  async ask(request: FuzzRequest): Promise<FuzzAnswer | null> {
    try {
      return await (request.protocol === 'h2' ? this.#askHttp2(request) : this.#askHttp1(request))
    } catch (error) {
      if (error instanceof UnanswerableError) throw error
      return null
    }
  }

  close(): void {
    this.#session?.destroy()
    this.#agent.destroy()
  }

  #connect(): ClientHttp2Session {
    if (this.#session === null || this.#session.destroyed || this.#session.closed) {
      const { certificateAuthority: ca, clientCertificate: cert, clientKey: key } = this.#config
      this.#session = connect(this.#config.server, { ca, cert, key })
      // Each request hears of it by its own stream.
      this.#session.on('error', () => undefined)
    }
    return this.#session
  }

  #askHttp2({ method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
    return new Promise((resolve, reject) => {
      const stream = this.#connect().request(
        { ...headers, ':method': method, ':path': path },
        { endStream: body === null },
      )
      let code = 0
      let type = ''
      let encoding = ''
      const chunks: Buffer[] = []
      stream.setTimeout(ANSWER_LIMIT_MS, () => reject(new UnanswerableError(`no answer to ${method} ${path}`)))
      stream.on('response', (head) => {
        code = head[':status'] ?? 0
        type = head['content-type'] ?? ''
        encoding = String(head['content-encoding'] ?? '')
      })
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () =>
        code === 0 ? reject(new Error('no answer')) : resolve({ code, type, encoding, body: Buffer.concat(chunks) }),
      )
      stream.on('error', reject)
      stream.on('close', () => reject(new Error('closed')))
      if (body !== null) stream.end(body)
    })
  }

  #askHttp1({ method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.#config.server)
      const length = body === null ? {} : { 'content-length': String(body.length) }
      const outgoing = httpsRequest(
        { agent: this.#agent, hostname, port, method, path, headers: { ...headers, ...length } },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              code: response.statusCode!,
              type: response.headers['content-type'] ?? '',
              encoding: response.headers['content-encoding'] ?? '',
              body: Buffer.concat(chunks),
            }),
          )
        },
      )
      outgoing.setTimeout(ANSWER_LIMIT_MS, () => reject(new UnanswerableError(`no answer to ${method} ${path}`)))
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

export class UnanswerableError extends Error {}
