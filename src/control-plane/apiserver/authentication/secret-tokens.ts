/** Tokens that stand in Secrets of type service-account-token: they do not expire, and are good as long as their Secret is there. */
import type { Secret } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { grantAudiences } from './audiences.ts'
import type { AuthenticatedToken, TokenAuthenticator } from './token-authenticator.ts'
import { claimedIssuer, type TokenSignatures } from './token-signatures.ts'
import { serviceAccountGroups, serviceAccountUser } from './users.ts'

export const SECRET_TOKEN_ISSUER = 'kubernetes/serviceaccount'

const NAMESPACE = 'kubernetes.io/serviceaccount/namespace'
const SECRET_NAME = 'kubernetes.io/serviceaccount/secret.name'
const ACCOUNT_NAME = 'kubernetes.io/serviceaccount/service-account.name'
const ACCOUNT_UID = 'kubernetes.io/serviceaccount/service-account.uid'
const INVALID_SINCE_LABEL = 'kubernetes.io/legacy-token-invalid-since'
const LAST_USED_LABEL = 'kubernetes.io/legacy-token-last-used'

export type SecretTokenClaims = {
  readonly iss: string
  readonly sub: string
  readonly [NAMESPACE]: string
  readonly [SECRET_NAME]: string
  readonly [ACCOUNT_NAME]: string
  readonly [ACCOUNT_UID]: string
}

/** What the token of a Secret says. */
export function secretTokenClaims(account: {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly secretName: string
}): SecretTokenClaims {
  const { namespace, name, uid, secretName } = account
  return {
    iss: SECRET_TOKEN_ISSUER,
    [NAMESPACE]: namespace,
    [SECRET_NAME]: secretName,
    [ACCOUNT_NAME]: name,
    [ACCOUNT_UID]: uid,
    sub: serviceAccountUser(namespace, name),
  }
}

export type SecretTokensOptions = {
  readonly signatures: TokenSignatures
  readonly apiAudiences: readonly string[]
  readonly clock: Clock
  /** Throws a StatusError with reason NotFound for what is not there. */
  readonly readSecret: (namespace: string, name: string) => Promise<Secret>
  readonly readAccount: (namespace: string, name: string) => Promise<ObjectMeta>
  readonly labelSecret: (secret: Secret, labels: Record<string, string>) => Promise<unknown>
}

export class SecretTokens implements TokenAuthenticator {
  readonly #options: SecretTokensOptions
  constructor(options: SecretTokensOptions) {
    this.#options = options
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | null> {
    if (claimedIssuer(token) !== SECRET_TOKEN_ISSUER) return null
    const { signatures, apiAudiences } = this.#options
    const claims = await signatures.verify<SecretTokenClaims>(token)
    const { [NAMESPACE]: namespace, [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid, [SECRET_NAME]: secretName } = claims
    if (!namespace || !name || !uid || !secretName || claims.sub !== serviceAccountUser(namespace, name))
      throw new Error('sub claim is invalid')
    const granted = grantAudiences(apiAudiences, audiences, apiAudiences)
    const secret = await this.#checkSecret(namespace, secretName, token)
    await this.#checkAccount(namespace, name, uid)
    await this.#markUsed(secret)
    const user = { name: serviceAccountUser(namespace, name), uid, groups: serviceAccountGroups(namespace), extra: {} }
    return { user, audiences: granted }
  }

  async #checkSecret(namespace: string, name: string, token: string): Promise<Secret> {
    const invalidated = 'service account token has been invalidated'
    const secret = await this.#options.readSecret(namespace, name).catch((error: unknown) => {
      throw isNotFound(error) ? new Error(invalidated) : error
    })
    if (secret.metadata.deletionTimestamp !== undefined) throw new Error(invalidated)
    if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString() !== token)
      throw new Error("service account token does not match server's copy")
    if (secret.metadata.labels?.[INVALID_SINCE_LABEL])
      throw new Error(
        `the token in secret ${namespace}/${name} has been marked invalid: remove the label ${INVALID_SINCE_LABEL} to allow its use`,
      )
    return secret
  }

  async #checkAccount(namespace: string, name: string, uid: string): Promise<void> {
    const metadata = await this.#options.readAccount(namespace, name)
    if (metadata.deletionTimestamp !== undefined)
      throw new Error(`service account ${namespace}/${name} has been deleted`)
    if (metadata.uid !== uid) throw new Error(`service account UID (${metadata.uid}) does not match claim (${uid})`)
  }

  /** Once a day. A token is good even when its use cannot be written down. */
  async #markUsed(secret: Secret): Promise<void> {
    const today = new Date(this.#options.clock.now()).toISOString().slice(0, 10)
    if (secret.metadata.labels?.[LAST_USED_LABEL] === today) return
    await this.#options.labelSecret(secret, { [LAST_USED_LABEL]: today }).catch(() => null)
  }
}
