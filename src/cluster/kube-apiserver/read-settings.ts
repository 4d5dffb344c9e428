/** What kube-apiserver's flags say of authentication, authorization, limits and headers. */
import type { ApiServerSettings, AuthorizationMode, RequestHeaderSettings } from '#control-plane/apiserver/settings.ts'
import { FlagError, readFlagFile } from '../flags.ts'
import type { KubeApiserverValues } from './flags/index.ts'

export async function readSettings(values: KubeApiserverValues): Promise<ApiServerSettings> {
  const modes = values['authorization-mode'] as readonly AuthorizationMode[]
  const maxMs = values['service-account-max-token-expiration']
  return {
    authorizationModes: modes.length === 0 ? ['AlwaysAllow'] : modes,
    // Where everything is allowed, upstream lets nobody in without a name.
    anonymousAuth: values['anonymous-auth'] && !(modes.length === 0 || modes.includes('AlwaysAllow')),
    bootstrapTokens: values['enable-bootstrap-token-auth'],
    requestHeader: await readRequestHeader(values),
    apiAudiences: values['api-audiences'],
    jwksUri: values['service-account-jwks-uri'] || null,
    tokenSecondsMax: maxMs === 0 ? null : Math.floor(maxMs / 1000),
    requestTimeoutMs: values['request-timeout'],
    priorityAndFairness: values['enable-priority-and-fairness'],
    watchSecondsMin: values['min-request-timeout'],
    corsAllowedOrigins: values['cors-allowed-origins'].map(originPattern),
    strictTransportSecurity: values['strict-transport-security-directives'].join('; '),
    eventTtlSeconds: Math.floor(values['event-ttl'] / 1000),
    shutdown: {
      delayMs: values['shutdown-delay-duration'],
      // A request ends by its own limit.
      drainMs: Math.max(values['request-timeout'], values['shutdown-watch-termination-grace-period']),
      watchGraceMs: values['shutdown-watch-termination-grace-period'],
      sendRetryAfter: values['shutdown-send-retry-after'],
    },
    livezGraceMs: values['livez-grace-period'],
    profiling: values.profiling,
    keepsEndpoints: values['endpoint-reconciler-type'] !== 'none',
  }
}

async function readRequestHeader(values: KubeApiserverValues): Promise<RequestHeaderSettings | null> {
  const file = values['requestheader-client-ca-file']
  if (file === '') return null
  const lower = (names: readonly string[]): string[] => names.map((name) => name.trim().toLowerCase())
  return {
    clientCa: await readFlagFile('requestheader-client-ca-file', file),
    allowedNames: values['requestheader-allowed-names'],
    usernameHeaders: lower(values['requestheader-username-headers']),
    uidHeaders: lower(values['requestheader-uid-headers']),
    groupHeaders: lower(values['requestheader-group-headers']),
    extraHeaderPrefixes: lower(values['requestheader-extra-headers-prefix']),
  }
}

/** A pattern must say where the host begins and ends, or `https://good` would let `https://good.evil` in. */
function originPattern(text: string): RegExp {
  const problem = (why: string): FlagError =>
    new FlagError(`--cors-allowed-origins has an invalid regular expression: ${why}`)
  if (text === '') throw new FlagError('empty value in --cors-allowed-origins')
  if (!/\^|\/\//.test(text) || !/[$:]/.test(text))
    throw problem('regular expression does not pin to start/end of host in the origin header')
  try {
    return new RegExp(text)
  } catch (error) {
    throw problem((error as Error).message)
  }
}
