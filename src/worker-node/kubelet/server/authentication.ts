/** Who calls the kubelet's API: by client certificate, or by a token that the API server judges. */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#base/clock.ts'
import type { TokenReview } from '#api/authentication/v1.gen.ts'
import { TOKENREVIEWS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'

export type Caller = { readonly name: string; readonly uid: string; readonly groups: readonly string[] }

/** How long an answer of the API server holds. */
const CACHE_MS = 120_000
const CACHE_MAX = 1000

export class Authentication {
  readonly #client: Client
  readonly #clock: Clock
  readonly #tokens = new Map<string, { readonly caller: Caller | null; readonly untilMs: number }>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** Null: nobody that we know. */
  async authenticate(request: IncomingMessage): Promise<Caller | null> {
    const byCertificate = certificateCaller(request.socket as TLSSocket)
    if (byCertificate) return byCertificate
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    return token === undefined ? null : await this.#reviewToken(token)
  }

  async #reviewToken(token: string): Promise<Caller | null> {
    const now = this.#clock.now()
    const known = this.#tokens.get(token)
    if (known && now < known.untilMs) return known.caller
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
    const { status } = await this.#client.review<TokenReview>(TOKENREVIEWS, body)
    const user = status?.authenticated ? status.user : undefined
    const caller = user ? { name: user.username ?? '', uid: user.uid ?? '', groups: user.groups ?? [] } : null
    if (this.#tokens.size >= CACHE_MAX) this.#tokens.clear()
    this.#tokens.set(token, { caller, untilMs: now + CACHE_MS })
    return caller
  }
}

/** Only a certificate that the client authority signed counts. */
function certificateCaller(socket: TLSSocket): Caller | null {
  if (!socket.authorized) return null
  const { subject } = socket.getPeerCertificate()
  if (!subject?.CN) return null
  const groups = subject.O === undefined ? [] : [subject.O].flat()
  return { name: [subject.CN].flat()[0]!, uid: '', groups: [...groups, 'system:authenticated'] }
}
