/** Tokens with which a new node asks for its first certificate: Secrets of kube-system, good until they expire. */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '#base/clock.ts'
import type { Secret } from '#api/core/v1.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { AuthenticatedToken, TokenAuthenticator } from './token-authenticator.ts'

const TOKEN_PATTERN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP_PATTERN = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

export class BootstrapTokenAuthenticator implements TokenAuthenticator {
  readonly #readSecret: (namespace: string, name: string) => Promise<Secret>
  readonly #clock: Clock
  readonly #apiAudiences: readonly string[]

  constructor(options: {
    readonly readSecret: (namespace: string, name: string) => Promise<Secret>
    readonly clock: Clock
    readonly apiAudiences: readonly string[]
  }) {
    this.#readSecret = options.readSecret
    this.#clock = options.clock
    this.#apiAudiences = options.apiAudiences
  }

  async authenticateToken(token: string): Promise<AuthenticatedToken | null> {
    const match = TOKEN_PATTERN.exec(token)
    if (match === null) return null
    const [, id, key] = match as unknown as [string, string, string]
    const secret = await this.#readSecret('kube-system', `bootstrap-token-${id}`).catch((error: unknown) => {
      if (isNotFound(error)) return null
      throw error
    })
    if (secret === null || !this.#isUsable(secret, id, key)) return null
    const groups = extraGroups(secret)
    if (groups === null) return null
    const user = { name: `system:bootstrap:${id}`, uid: '', groups: ['system:bootstrappers', ...groups], extra: {} }
    return { user, audiences: this.#apiAudiences }
  }

  #isUsable(secret: Secret, id: string, key: string): boolean {
    if (secret.metadata.deletionTimestamp !== undefined || secret.type !== 'bootstrap.kubernetes.io/token') return false
    const stored = Buffer.from(fieldOf(secret, 'token-secret'))
    const given = Buffer.from(key)
    if (stored.length !== given.length || !timingSafeEqual(stored, given)) return false
    if (fieldOf(secret, 'token-id') !== id || fieldOf(secret, 'usage-bootstrap-authentication') !== 'true') return false
    const expiration = fieldOf(secret, 'expiration')
    return expiration === '' || Date.parse(expiration) > this.#clock.now()
  }
}

const fieldOf = (secret: Secret, field: string): string => Buffer.from(secret.data?.[field] ?? '', 'base64').toString()

/** Null when one of them is no group of bootstrappers: then the whole token is refused. */
function extraGroups(secret: Secret): string[] | null {
  const text = fieldOf(secret, 'auth-extra-groups')
  if (text === '') return []
  const groups = [...new Set(text.split(','))].toSorted()
  return groups.every((group) => GROUP_PATTERN.test(group)) ? groups : null
}
