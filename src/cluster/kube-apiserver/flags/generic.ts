/** Flags of kube-apiserver for what every API server has: its address, its limits, its end. */
import { FEATURE_GATES_HELP } from '../../feature-gates-flag.ts'
import { unsupported } from '../../flag-set/flag.ts'
import { bool, duration, float, int, ip, stringArray, strings, text } from '../../flag-set/flag-types.ts'

const ONE_VERSION = 'this server has the behaviour of one version'

export const GENERIC_FLAGS = {
  'advertise-address': ip(
    'address that members of the cluster reach this server at; without it that of --bind-address, or of the first interface',
  ),
  'cors-allowed-origins': strings('regular expressions of the origins whose pages may ask this server'),
  'emulated-version': unsupported(strings('version whose behaviour is shown'), ONE_VERSION),
  'emulation-forward-compatible': unsupported(
    bool('serve newer versions of APIs while an older version is emulated'),
    ONE_VERSION,
  ),
  'external-hostname': text('host name in the URLs that this server tells of itself'),
  'feature-gates': {
    ...stringArray(FEATURE_GATES_HELP),
    type: 'colonSeparatedMultimapStringString',
    print: (values: readonly string[]) => values.join(','),
  },
  'goaway-chance': float(
    'chance, up to 0.02, that a request of HTTP/2 has its connection closed, so that clients spread anew',
  ),
  'livez-grace-period': duration('time a start may take during which /livez does not fail because of it'),
  'max-mutating-requests-inflight': int('changing requests that are worked on at once; 0 for no limit', 200),
  'max-requests-inflight': int('reading requests that are worked on at once; 0 for no limit', 400),
  'min-compatibility-version': unsupported(strings('oldest version that is compatible'), ONE_VERSION),
  'min-request-timeout': int('seconds that a watch lasts at least, twice that at most', 1800),
  'request-timeout': duration('time after which a request is given up; watches and streams last longer', 60_000),
  'runtime-config-emulation-forward-compatible': unsupported(
    bool('newer versions of APIs while an older version is emulated'),
    ONE_VERSION,
  ),
  'shutdown-delay-duration': duration(
    'time in which requests are still answered as ever after the signal to end, while /readyz fails',
  ),
  'shutdown-send-retry-after': bool('refuse new requests with 429 and Retry-After while the last ones finish'),
  'shutdown-watch-termination-grace-period': duration('time in which watches are ended at the end, spread evenly'),
  'storage-initialization-timeout': unsupported(
    duration('time that the storage may take to be ready', 60_000),
    'the store is open before the server starts',
  ),
  'strict-transport-security-directives': strings('directives of the header Strict-Transport-Security'),
}
