/** Issues and verifies tokens of service accounts: signed, for an audience, void when the object they are bound to is gone. */
import { SignJWT } from 'jose'
import type { Clock } from '#base/clock.ts'
import { randomUuid, type RandomSource } from '#base/random.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { grantAudiences } from './audiences.ts'
import { CREDENTIAL_ID, serviceAccountGroups, serviceAccountUser } from './users.ts'
import type { KeySet } from './service-account-keys.ts'
import { claimedIssuer, type TokenSignatures } from './token-signatures.ts'
import type {
  AuthenticatedToken,
  IssuedToken,
  TokenAuthenticator,
  TokenIssueRequest,
  TokenIssuer,
} from './token-authenticator.ts'

/** Reads the metadata of what a token is bound to; throws a StatusError with reason NotFound for what is not there. */
export type TokenObjects = {
  readonly read: (
    kind: 'ServiceAccount' | 'Pod' | 'Secret' | 'Node',
    namespace: string,
    name: string,
  ) => Promise<ObjectMeta>
}

export type ServiceAccountTokensOptions = {
  readonly keys: KeySet
  readonly signatures: TokenSignatures
  /** First the one that issues; tokens of the others are accepted. */
  readonly issuers: readonly string[]
  /** What a token without stated audiences is for. */
  readonly apiAudiences: readonly string[]
  readonly objects: TokenObjects
  readonly clock: Clock
  readonly random: RandomSource
}

type Reference = { readonly name: string; readonly uid: string }
type Claims = {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
  readonly 'kubernetes.io'?: {
    readonly namespace?: string
    readonly serviceaccount?: Reference
    readonly pod?: Reference
    readonly secret?: Reference
    readonly node?: Reference
  }
}

/** Clocks may differ this much (go-jose's default leeway). */
const LEEWAY_SECONDS = 60

export class ServiceAccountTokens implements TokenAuthenticator, TokenIssuer {
  readonly #options: ServiceAccountTokensOptions

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options
  }

  async issueToken(request: TokenIssueRequest): Promise<IssuedToken> {
    const { keys, issuers, apiAudiences, clock, random } = this.#options
    const { namespace, name, uid } = request.serviceAccount
    const now = Math.floor(clock.now() / 1000)
    const expiry = now + request.expirationSeconds
    const token = await new SignJWT({
      'kubernetes.io': { namespace, ...boundClaims(request), serviceaccount: { name, uid } },
    })
      .setProtectedHeader({ alg: keys.signing.algorithm, kid: keys.signing.id })
      .setAudience([...(request.audiences.length > 0 ? request.audiences : apiAudiences)])
      .setExpirationTime(expiry)
      .setIssuedAt(now)
      .setIssuer(issuers[0]!)
      .setJti(randomUuid(random))
      .setNotBefore(now)
      .setSubject(serviceAccountUser(namespace, name))
      .sign(keys.signing.privateKey)
    return { token, expirationTimestamp: new Date(expiry * 1000).toISOString().replace('.000Z', 'Z') }
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | null> {
    const issuer = claimedIssuer(token)
    if (issuer === null || !this.#options.issuers.includes(issuer)) return null
    const claims = await this.#options.signatures.verify<Claims>(token)
    const granted = this.#grantedAudiences(claims, audiences)
    this.#checkTimes(claims)
    return { user: await this.#userOf(claims), audiences: granted }
  }

  #grantedAudiences(claims: Claims, requested: readonly string[]): string[] {
    const { apiAudiences } = this.#options
    const own = claims.aud === undefined ? [] : typeof claims.aud === 'string' ? [claims.aud] : claims.aud
    return grantAudiences(own.length === 0 ? apiAudiences : own, requested, apiAudiences)
  }

  #checkTimes({ exp, nbf, iat }: Claims): void {
    const now = this.#options.clock.now() / 1000
    if (nbf !== undefined && now + LEEWAY_SECONDS < nbf) throw new Error('service account token is not valid yet')
    if (exp !== undefined && now - LEEWAY_SECONDS > exp) throw new Error('service account token has expired')
    if (iat !== undefined && now + LEEWAY_SECONDS < iat)
      throw new Error('service account token is issued in the future')
  }

  async #userOf(claims: Claims): Promise<AuthenticatedToken['user']> {
    const bound = claims['kubernetes.io']
    const namespace = bound?.namespace
    const account = bound?.serviceaccount
    if (namespace === undefined || account === undefined)
      throw new Error('service account token has no service account')
    await this.#checkAccount(namespace, account)
    if (bound?.secret !== undefined) await this.#checkBound('Secret', namespace, bound.secret)
    if (bound?.pod !== undefined) await this.#checkBound('Pod', namespace, bound.pod)
    else if (bound?.node !== undefined) await this.#checkBound('Node', '', bound.node)
    return {
      name: serviceAccountUser(namespace, account.name),
      uid: account.uid,
      groups: serviceAccountGroups(namespace),
      extra: extraOf(claims),
    }
  }

  async #checkAccount(namespace: string, { name, uid }: Reference): Promise<void> {
    const metadata = await this.#options.objects.read('ServiceAccount', namespace, name)
    if (metadata.uid !== uid) throw new Error(`service account UID (${metadata.uid}) does not match claim (${uid})`)
    if (this.#isGone(metadata)) throw new Error(`service account ${namespace}/${name} has been deleted`)
  }

  async #checkBound(kind: 'Pod' | 'Secret' | 'Node', namespace: string, { name, uid }: Reference): Promise<void> {
    const invalidated = 'service account token has been invalidated'
    const metadata = await this.#options.objects.read(kind, namespace, name).catch((error: unknown) => {
      throw isNotFound(error) ? new Error(invalidated) : error
    })
    const claim = kind === 'Pod' ? 'pod' : kind === 'Secret' ? 'secret' : 'node'
    if (metadata.uid !== uid)
      throw new Error(
        `${claim === 'pod' ? 'pod' : kind} UID (${metadata.uid}) does not match service account ${claim} ref claim (${uid})`,
      )
    if (this.#isGone(metadata)) throw new Error(invalidated)
  }

  /** An object that waits for its removal keeps its tokens for the leeway only. */
  #isGone({ deletionTimestamp }: ObjectMeta): boolean {
    if (deletionTimestamp === undefined) return false
    return Date.parse(deletionTimestamp) < this.#options.clock.now() - LEEWAY_SECONDS * 1000
  }
}

function boundClaims({ boundObject, node }: TokenIssueRequest): Record<string, Reference> {
  const claims: Record<string, Reference> = {}
  const reference = boundObject && { name: boundObject.name, uid: boundObject.uid }
  if (boundObject?.kind === 'Node') claims['node'] = reference!
  else if (node !== undefined && boundObject?.kind === 'Pod') claims['node'] = { name: node.name, uid: node.uid }
  if (boundObject?.kind === 'Pod') claims['pod'] = reference!
  if (boundObject?.kind === 'Secret') claims['secret'] = reference!
  return claims
}

function extraOf(claims: Claims): Record<string, string[]> {
  const bound = claims['kubernetes.io']
  const extra: Record<string, string[]> = {}
  if (claims.jti !== undefined) extra[CREDENTIAL_ID] = [`JTI=${claims.jti}`]
  for (const kind of ['node', 'pod'] as const) {
    const reference = bound?.[kind]
    if (reference === undefined) continue
    extra[`authentication.kubernetes.io/${kind}-name`] = [reference.name]
    if (reference.uid) extra[`authentication.kubernetes.io/${kind}-uid`] = [reference.uid]
  }
  return extra
}
