/** Refuses values of kube-apiserver's flags that do not go together, all at once and in upstream's words. */
import { FlagError } from '../flags.ts'
import type { KubeApiserverValues } from './flags/index.ts'

type Check = (values: KubeApiserverValues) => string | false

const GOAWAY_CHANCE_MAX = 0.02
const PORT_MAX = 65_535
const TOKEN_SECONDS = { min: 3600, max: 2 ** 32 }
const MODES = new Set(['AlwaysAllow', 'AlwaysDeny', 'ABAC', 'Webhook', 'RBAC', 'Node'])
const HSTS = /^(max-age=\d+|includeSubDomains|preload)$/

const CHECKS: readonly Check[] = [
  ({ 'livez-grace-period': value }) => value < 0 && '--livez-grace-period can not be a negative value',
  ({ 'max-requests-inflight': value }) => value < 0 && '--max-requests-inflight can not be negative value',
  ({ 'max-mutating-requests-inflight': value }) =>
    value < 0 && '--max-mutating-requests-inflight can not be negative value',
  ({ 'enable-priority-and-fairness': isOn, ...values }) => {
    const [reading, changing] = [values['max-requests-inflight'], values['max-mutating-requests-inflight']]
    return (
      isOn &&
      reading + changing <= 0 &&
      `invalid configuration: MaxRequestsInFlight=${reading} and MaxMutatingRequestsInFlight=${changing}; they must add up to something positive`
    )
  },
  ({ 'request-timeout': value }) => value < 0 && '--request-timeout can not be negative value',
  ({ 'goaway-chance': value }) =>
    (value < 0 || value > GOAWAY_CHANCE_MAX) && '--goaway-chance can not be less than 0 or greater than 0.02',
  ({ 'min-request-timeout': value }) => value < 0 && '--min-request-timeout can not be negative value',
  ({ 'shutdown-delay-duration': value }) => value < 0 && '--shutdown-delay-duration can not be negative value',
  ({ 'shutdown-watch-termination-grace-period': value }) =>
    value < 0 && 'shutdown-watch-termination-grace-period, if provided, can not be a negative value',
  ({ 'strict-transport-security-directives': values }) =>
    values.some((value) => !HSTS.test(value)) &&
    '--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information',
  ({ 'secure-port': port }) =>
    (port < 1 || port > PORT_MAX) &&
    `--secure-port ${port} must be between 1 and 65535, inclusive. It cannot be turned off with 0`,
  ({ 'service-cluster-ip-range': range }) =>
    range.split(',').length > 2 && '--service-cluster-ip-range must not contain more than two entries',
  ({ 'service-account-signing-key-file': key, 'service-account-issuer': issuers }) =>
    (key === '' || issuers.length === 0) &&
    '--service-account-signing-key-file and --service-account-issuer are required flags',
  ({ 'service-account-issuer': issuers }) =>
    issuers.includes('') && 'service-account-issuer should not be an empty string',
  ({ 'service-account-issuer': issuers }) => {
    const twice = issuers.find((issuer, index) => issuers.indexOf(issuer) !== index)
    return twice !== undefined && `service-account-issuer ${JSON.stringify(twice)} is already specified`
  },
  ({ 'service-account-key-file': files }) =>
    files.length === 0 && 'either `--service-account-key-file` or `--service-account-signing-endpoint` must be set',
  ({ 'service-account-jwks-uri': uri }) =>
    uri !== '' && !uri.startsWith('https:') && `service-account-jwks-uri requires https scheme, parsed as: ${uri}`,
  ({ 'service-account-max-token-expiration': ms }) =>
    ms !== 0 &&
    (ms < TOKEN_SECONDS.min * 1000 || ms > TOKEN_SECONDS.max * 1000) &&
    'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds',
  ({ 'authorization-mode': modes }) => {
    const unknown = modes.find((mode) => !MODES.has(mode))
    return unknown !== undefined && `authorization-mode ${JSON.stringify(unknown)} is not a valid mode`
  },
  ({ 'authorization-mode': modes }) =>
    new Set(modes).size !== modes.length &&
    `authorization-mode [${modes.map((mode) => JSON.stringify(mode)).join(' ')}] has mode specified more than once`,
  ({ 'authorization-mode': modes }) => {
    const absent = modes.find((mode) => mode === 'ABAC' || mode === 'Webhook')
    return absent !== undefined && `--authorization-mode is not supported: there is no authorizer ${absent}`
  },
  ({ 'data-dir': folder }) => folder === '' && '--data-dir is missing: the folder of the store',
]

export function validateValues(values: KubeApiserverValues): void {
  const problems = [...new Set(CHECKS.map((check) => check(values)).filter((problem) => problem !== false))]
  if (problems.length > 0) throw new FlagError(problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`)
}
