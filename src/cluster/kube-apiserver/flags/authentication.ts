/** Flags of kube-apiserver for who its clients are. */
import { unsupported, type Flag } from '../../flag-set/flag.ts'
import { bool, duration, stringArray, stringMap, strings, text } from '../../flag-set/flag-types.ts'

const oidc = <T>(flag: Flag<T>): Flag<T> => unsupported(flag, 'tokens of other issuers are not accepted')
const webhook = <T>(flag: Flag<T>): Flag<T> => unsupported(flag, 'tokens are not asked of a webhook')

export const AUTHENTICATION_FLAGS = {
  'anonymous-auth': bool('let requests without credentials in, as system:anonymous', true),
  'api-audiences': strings(
    'audiences that tokens for this server have; the first issuer of service accounts without it',
  ),
  'authentication-config': oidc(text('file that says whose tokens are accepted')),
  'authentication-token-webhook-cache-ttl': webhook(duration('time that answers of the webhook are kept', 120_000)),
  'authentication-token-webhook-config-file': webhook(text('kubeconfig of the webhook')),
  'authentication-token-webhook-version': webhook(text('version of the TokenReview', 'v1beta1')),
  'client-ca-file': text('authorities whose certificates clients may show'),
  'enable-bootstrap-token-auth': bool('accept tokens of the Secrets of type bootstrap.kubernetes.io/token'),
  'oidc-ca-file': oidc(text('authority of the issuer')),
  'oidc-client-id': oidc(text('audience of the tokens')),
  'oidc-groups-claim': oidc(text('claim of the groups')),
  'oidc-groups-prefix': oidc(text('prefix of the groups')),
  'oidc-issuer-url': oidc(text('issuer of the tokens')),
  'oidc-required-claim': oidc(
    stringMap('claims that a token must have', 'mapStringString', () => 'malformed pair, expect string=string'),
  ),
  'oidc-signing-algs': oidc(strings('algorithms of the signatures', ['RS256'])),
  'oidc-username-claim': oidc(text('claim of the name', 'sub')),
  'oidc-username-prefix': oidc(text('prefix of the name')),
  'requestheader-allowed-names': strings(
    'common names of the front proxies; empty for all that --requestheader-client-ca-file signed',
  ),
  'requestheader-client-ca-file': text('authorities of the front proxies, whose word for the user is taken'),
  'requestheader-extra-headers-prefix': strings('prefixes of headers with extra fields of the user'),
  'requestheader-group-headers': strings('headers with the groups of the user'),
  'requestheader-uid-headers': strings('headers with the uid of the user'),
  'requestheader-username-headers': strings('headers with the name of the user'),
  'service-account-extend-token-expiration': unsupported(
    bool('let tokens of pods last a year, and warn of those that are not renewed', true),
    'tokens of pods last as long as they say',
  ),
  'service-account-issuer': stringArray(
    'issuer of tokens of service accounts; those after the first are accepted only',
  ),
  'service-account-jwks-uri': text('where other parties find the keys of the tokens'),
  'service-account-key-file': stringArray('keys that tokens of service accounts are verified with'),
  'service-account-lookup': unsupported(
    bool('refuse tokens whose service account is gone', true),
    'it is always looked for',
  ),
  'service-account-max-token-expiration': duration('longest time that a token of a service account lasts'),
  'token-auth-file': text('file of lines token,user,uid,"group1,group2"'),
}
