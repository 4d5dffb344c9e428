/** Keeps the service account tokens of this node's pods: asks for them, and for new ones well before they expire. */
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { TokenRequest } from '#api/authentication/v1.gen.ts'
import { SERVICEACCOUNTS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'

export type TokenQuery = { readonly pod: Pod; readonly audience: string; readonly expirationSeconds: number }

type Entry = { readonly token: string; readonly refreshAtMs: number; readonly expiresAtMs: number }

/** A token is renewed after this share of its life, and after a day at the latest. */
const REFRESH_SHARE = 0.8
const REFRESH_MS_MAX = 24 * 3600 * 1000
/** Spreads the renewals of tokens that were issued together. */
const JITTER_MS = 10_000

export type TokenManagerOptions = { readonly client: Client; readonly clock: Clock; readonly random: RandomSource }

export class TokenManager {
  readonly #options: TokenManagerOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: TokenManagerOptions) {
    this.#options = options
  }

  /** A token that is still good for a while; an old one is kept while the API server does not answer. */
  async get(query: TokenQuery, signal: AbortSignal): Promise<string> {
    const { clock, random } = this.#options
    const key = `${query.pod.metadata.uid}/${query.audience}/${query.expirationSeconds}`
    const entry = this.#entries.get(key)
    if (entry && clock.now() < entry.refreshAtMs) return entry.token
    try {
      const { token, expiresAtMs } = await this.#request(query, signal)
      const lifeMs = expiresAtMs - clock.now()
      const refreshAtMs = clock.now() + Math.min(lifeMs * REFRESH_SHARE, REFRESH_MS_MAX) - random.next() * JITTER_MS
      this.#entries.set(key, { token, refreshAtMs, expiresAtMs })
      return token
    } catch (error) {
      if (entry && clock.now() < entry.expiresAtMs) return entry.token
      throw error
    }
  }

  forgetPod(podUid: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(`${podUid}/`)) this.#entries.delete(key)
  }

  async #request(
    { pod, audience, expirationSeconds }: TokenQuery,
    signal: AbortSignal,
  ): Promise<{ token: string; expiresAtMs: number }> {
    const { name, uid, namespace = 'default' } = pod.metadata
    const account = pod.spec.serviceAccountName || 'default'
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    }
    const { client } = this.#options
    const { status } = await client.createSubresource<TokenRequest>(
      SERVICEACCOUNTS,
      namespace,
      account,
      'token',
      body,
      signal,
    )
    const { token = '', expirationTimestamp = '' } = status ?? {}
    if (token === '') throw new Error(`the API server gave no token for service account ${namespace}/${account}`)
    return { token, expiresAtMs: Date.parse(expirationTimestamp) }
  }
}
