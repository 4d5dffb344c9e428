/** An API server on a port of its own, with the certificates of its clients: for tests of what clients meet there. */
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { KINDS } from '#api/kinds.ts'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import { HttpTransport } from '#client/http-transport.ts'
import {
  createAuthority,
  createSigningKey,
  issueCertificate,
  type Authority,
  type KeyPair,
} from '#cluster/certificates/authority.ts'
import { createApiServer, type ApiServer, type ApiServerOptions } from '#control-plane/apiserver/apiserver.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'

export const clock = new SystemClock({ keepsProcessAlive: true })

export type Credentials = { readonly authority: Authority; readonly admin: KeyPair; readonly kubelet: KeyPair }

export async function createCredentials(): Promise<Credentials> {
  const authority = await createAuthority('kubernetes', clock)
  const admin = await issueCertificate(
    authority,
    { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] },
    clock,
  )
  const kubelet = await issueCertificate(
    authority,
    { commonName: 'system:node:n1', hosts: ['127.0.0.1'], usages: ['server'] },
    clock,
  )
  return { authority, admin, kubelet }
}

export async function startServer(
  { authority, admin }: Credentials,
  options: Partial<Pick<ApiServerOptions, 'limits' | 'settings'>> = {},
): Promise<ApiServer> {
  const serving = await issueCertificate(
    authority,
    { commonName: 'api', hosts: ['127.0.0.1'], usages: ['server'] },
    clock,
  )
  const started = await createApiServer({
    // Its timers end events after an hour: no test waits for that.
    store: createMemoryStore({ clock: new SystemClock() }),
    kinds: KINDS,
    createResources: (dependencies) => createResources(dependencies, { freeze: true }),
    clock,
    random: new SystemRandom(),
    log: NO_LOG,
    serving: { ...serving, address: '127.0.0.1', port: 0 },
    advertiseAddress: '127.0.0.1',
    clientCa: authority.certificate,
    serviceAccountKeys: { signingKey: (await createSigningKey()).privateKey },
    serviceClusterIpRange: '10.96.0.0/16',
    nodePortRange: { from: 30_000, to: 32_767 },
    kubeletClient: { ...admin, certificateAuthority: authority.certificate },
    ...options,
  })
  await started.ready()
  return started
}

/** A client of the server; the token or the key pair says whose. */
export const connectTo = (
  { url }: ApiServer,
  { authority }: Credentials,
  pair: KeyPair | null,
  token?: string,
): HttpTransport =>
  new HttpTransport({
    config: {
      server: url,
      certificateAuthority: authority.certificate,
      ...(pair === null ? {} : { clientCertificate: pair.certificate, clientKey: pair.privateKey }),
      ...(token === undefined ? {} : { token }),
    },
    clock,
    userAgent: 'front-test',
  })

export type Answer = { readonly code: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

export type Question = {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly pair: KeyPair | null
}

const agent = new Agent({ keepAlive: false })

/** One request over HTTP/1.1. */
export function askServer(
  { port }: ApiServer,
  { authority }: Credentials,
  path: string,
  { method = 'GET', headers = {}, body, pair }: Question,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      agent,
      host: '127.0.0.1',
      port,
      path,
      method,
      headers,
      ca: authority.certificate,
      ...(pair === null ? {} : { cert: pair.certificate, key: pair.privateKey }),
    }
    const outgoing = httpsRequest(options, (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ code: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
