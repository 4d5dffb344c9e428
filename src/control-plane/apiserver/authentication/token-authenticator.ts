/** Who a bearer token speaks for, and how tokens of service accounts are issued: the contracts of TokenReview and TokenRequest. */
import type { UserInfo } from '../request.ts'

export type AuthenticatedToken = {
  readonly user: UserInfo
  /** Those of the audiences asked for that the token is meant for. */
  readonly audiences: readonly string[]
}

export interface TokenAuthenticator {
  /**
   * The owner of a token; null for a token that this authenticator does not know. Throws an Error with the reason (TokenReview's
   * `status.error`) for one that it knows and refuses: expired, for another audience, its object gone. No audiences: the API server's own.
   */
  authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | null>
}

export type BoundObject = {
  readonly kind: 'Pod' | 'Secret' | 'Node'
  readonly name: string
  readonly uid: string
}

export type TokenIssueRequest = {
  readonly serviceAccount: { readonly namespace: string; readonly name: string; readonly uid: string }
  /** Empty: the API server's own audience. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  /** The token is void when this object is gone. */
  readonly boundObject?: BoundObject
  /** The node of a bound pod, when it has one. */
  readonly node?: { readonly name: string; readonly uid: string }
}

export type IssuedToken = {
  readonly token: string
  /** RFC 3339, as `status.expirationTimestamp` of a TokenRequest. */
  readonly expirationTimestamp: string
}

export interface TokenIssuer {
  /** Signs a token. Whether the service account and the bound object exist is the caller's to check. */
  issueToken(request: TokenIssueRequest): Promise<IssuedToken>
}
