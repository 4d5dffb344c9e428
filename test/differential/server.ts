/** One API server under comparison: sends requests with the credentials of a kubeconfig, over connections that stay open. */
import { Agent, request } from 'node:https'
import { loadKubeconfig } from '#client/kubeconfig.ts'

export type Question = {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Answer = {
  readonly code: number
  readonly warnings: readonly string[]
  readonly type: string
  readonly text: string
}

export class Server {
  readonly #agent: Agent
  readonly #url: URL
  private constructor(agent: Agent, url: URL) {
    this.#agent = agent
    this.#url = url
  }

  static async of(kubeconfig: string): Promise<Server> {
    const { server, certificateAuthority, clientCertificate, clientKey } = await loadKubeconfig(kubeconfig)
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 4,
      ca: certificateAuthority,
      cert: clientCertificate,
      key: clientKey,
    })
    return new Server(agent, new URL(server))
  }

  ask({ method, path, body, headers }: Question): Promise<Answer> {
    const { hostname, port } = this.#url
    // A DELETE with a body has to say how long it is: Node would send the body as the start of the next request.
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const all = {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'differential',
      ...length,
      ...headers,
    }
    return new Promise((resolve, reject) => {
      const outgoing = request({ agent: this.#agent, hostname, port, method, path, headers: all }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            code: response.statusCode!,
            warnings: warningsOf(response.headers['warning']),
            type: response.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        )
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Several headers come joined by commas. */
function warningsOf(header: string | undefined): string[] {
  return header?.split(/, (?=299 - ")/) ?? []
}
