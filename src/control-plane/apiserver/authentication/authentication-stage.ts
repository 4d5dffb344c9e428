/** Finds out who sends a request: a front proxy's word, client certificate, bearer token, else nobody in particular. */
import type { Clock } from '#base/clock.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import type { Logger } from '#base/log.ts'
import { unauthorized } from '#machinery/status-error.ts'
import type { ApiRequest, ClientCertificate, Stage, UserInfo } from '../request.ts'
import { createHeaderFilter, requestHeaderUser } from './request-header.ts'
import type { ApiServerSettings } from '../settings.ts'
import { isCurrent } from './certificate-time.ts'
import { tokenOfProtocols } from './token-protocol.ts'
import type { AuthenticatedToken, TokenAuthenticator } from './token-authenticator.ts'
import { ANONYMOUS, ANONYMOUS_USER, CREDENTIAL_ID, UNAUTHENTICATED_GROUP, withAuthenticatedGroup } from './users.ts'

export type AuthenticationOptions = {
  readonly tokens: TokenAuthenticator
  readonly clock: Clock
  readonly log: Logger
  readonly features: FeatureGates
  readonly settings: Pick<ApiServerSettings, 'anonymousAuth' | 'requestHeader'>
}

export function createAuthenticationStage(options: AuthenticationOptions): Stage {
  const { clock, settings } = options
  const { requestHeader } = settings
  const withoutUserHeaders = createHeaderFilter(requestHeader)
  return async (request, next) => {
    const fronted = requestHeader === null ? null : requestHeaderUser(request, requestHeader, clock.now())
    request.user = fronted === null ? await authenticateOrClose(request, options) : withAuthenticatedGroup(fronted)
    closeUnauthenticated(request, options)
    return next(withoutUserHeaders(request))
  }
}

/** Connections of HTTP/2 are dear: nobody whom the server does not know keeps one beyond its request. */
function closeUnauthenticated(
  { connection, user, answerHeaders }: ApiRequest,
  { features }: AuthenticationOptions,
): void {
  if (connection?.isHttp2 !== true || answerHeaders === undefined) return
  if (user.name !== ANONYMOUS_USER && !user.groups.includes(UNAUTHENTICATED_GROUP)) return
  if (features.isEnabled('UnauthenticatedHTTP2DOSMitigation')) answerHeaders['Connection'] = 'close'
}

async function authenticateOrClose(request: ApiRequest, options: AuthenticationOptions): Promise<UserInfo> {
  try {
    return await authenticate(request, options)
  } catch (error) {
    closeUnauthenticated({ ...request, user: ANONYMOUS }, options)
    throw error
  }
}

async function authenticate(
  request: ApiRequest,
  { tokens, clock, log, settings }: AuthenticationOptions,
): Promise<UserInfo> {
  const certificate = request.connection?.certificate() ?? null
  if (certificate !== null && isValid(certificate, clock.now()))
    return withAuthenticatedGroup(certificateUser(certificate))
  const token = bearerTokenOf(request)
  if (token !== null) {
    const found = await tokens.authenticateToken(token, []).catch((error: unknown) => {
      log.info('bearer token refused', { error: error instanceof Error ? error.message : String(error) })
      return null
    })
    if (found === null) throw unauthorized()
    return found.user
  }
  // A certificate that proves nothing is refused rather than taken for an anonymous client.
  if (certificate !== null || !settings.anonymousAuth) throw unauthorized()
  return ANONYMOUS
}

const isValid = (certificate: ClientCertificate, nowMs: number): boolean =>
  certificate.trusted && certificate.commonName !== '' && isCurrent(certificate, nowMs)

function certificateUser({ commonName, organizations, fingerprint }: ClientCertificate): UserInfo {
  return {
    name: commonName,
    uid: '',
    groups: organizations,
    extra: { [CREDENTIAL_ID]: [`X509SHA256=${fingerprint}`] },
  }
}

function bearerTokenOf(request: ApiRequest): string | null {
  const header = request.headers['authorization']
  if (header !== undefined) {
    const [scheme, token] = header.trim().split(' ')
    return scheme?.toLowerCase() === 'bearer' && token ? token : null
  }
  return tokenOfProtocols(request.headers['sec-websocket-protocol'])
}

const INVALID = 'invalid bearer token'

/** Asks several authenticators in order; a refusal of one still lets the others look. Throws when none knows the token. */
export class TokenAuthenticators implements TokenAuthenticator {
  readonly #authenticators: readonly TokenAuthenticator[]
  constructor(authenticators: readonly TokenAuthenticator[]) {
    this.#authenticators = authenticators
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken> {
    const refusals: string[] = []
    for (const authenticator of this.#authenticators) {
      try {
        const found = await authenticator.authenticateToken(token, audiences)
        if (found !== null) return { ...found, user: withAuthenticatedGroup(found.user) }
      } catch (error) {
        refusals.push(error instanceof Error ? error.message : String(error))
      }
    }
    throw new Error(refusals.length === 0 ? INVALID : `[${[INVALID, ...refusals].join(', ')}]`)
  }
}
