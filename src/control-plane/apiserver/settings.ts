/** What an API server can be told beside its parts: each setting is a flag of kube-apiserver. */

export type AuthorizationMode = 'AlwaysAllow' | 'AlwaysDeny' | 'Node' | 'RBAC'

/** Whose word for the user is taken, and in which headers it comes (lower-case, in the order in which they are looked at). */
export type RequestHeaderSettings = {
  /** PEM of the authorities of the front proxies. */
  readonly clientCa: string
  /** Empty: every certificate that the authorities signed. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

export type ApiServerSettings = {
  /** In the order in which they are asked. */
  readonly authorizationModes: readonly AuthorizationMode[]
  readonly anonymousAuth: boolean
  readonly bootstrapTokens: boolean
  readonly requestHeader: RequestHeaderSettings | null
  /** Of tokens for this server; empty: the first issuer. */
  readonly apiAudiences: readonly string[]
  /** Where others find the keys of tokens; null: at this server's own address. */
  readonly jwksUri: string | null
  /** Null: as long as the client asks for. */
  readonly tokenSecondsMax: number | null
  readonly requestTimeoutMs: number
  /** Whether requests wait in queues by priority; else there is only a limit. */
  readonly priorityAndFairness: boolean
  /** A watch lasts this long at least, twice at most, unless its client says. */
  readonly watchSecondsMin: number
  /** Patterns of the origins whose pages may ask. */
  readonly corsAllowedOrigins: readonly RegExp[]
  /** The header Strict-Transport-Security; empty for none. */
  readonly strictTransportSecurity: string
  readonly eventTtlSeconds: number
  /** A start may take this long before /livez fails because of it. */
  readonly livezGraceMs: number
  readonly shutdown: {
    /** All is served for this long after the end was asked for, while /readyz fails. */
    readonly delayMs: number
    /** Then requests get this long to finish. */
    readonly drainMs: number
    /** Watches are ended over this time. */
    readonly watchGraceMs: number
    /** Whether new requests are answered with 429 meanwhile, instead of finding the port closed. */
    readonly sendRetryAfter: boolean
  }
  /** Whether /debug/pprof answers. */
  readonly profiling: boolean
  /** Whether the endpoints of the Service `kubernetes` are kept. */
  readonly keepsEndpoints: boolean
}

export const DEFAULT_SETTINGS: ApiServerSettings = {
  authorizationModes: ['Node', 'RBAC'],
  anonymousAuth: true,
  bootstrapTokens: true,
  requestHeader: null,
  apiAudiences: [],
  jwksUri: null,
  tokenSecondsMax: null,
  requestTimeoutMs: 60_000,
  priorityAndFairness: true,
  watchSecondsMin: 1800,
  corsAllowedOrigins: [],
  strictTransportSecurity: '',
  eventTtlSeconds: 3600,
  livezGraceMs: 0,
  // Process managers wait about ten seconds before they kill.
  shutdown: { delayMs: 0, drainMs: 10_000, watchGraceMs: 0, sendRetryAfter: false },
  profiling: true,
  keepsEndpoints: true,
}
