/** Flags of kube-apiserver for Services, kubelets, service accounts' keys and the aggregator; and the ones of every program. */
import { unsupported, type Flag } from '../../flag-set/flag.ts'
import { NOT_BUILT } from './not-built.ts'
import { bool, choice, duration, int, portRange, strings, text } from '../../flag-set/flag-types.ts'

const NO_PEERS = 'there is one API server'
const NO_COORDINATED_ELECTION = 'leaders are not elected by the API server'

export const MISC_FLAGS = {
  'aggregator-reject-forwarding-redirect': unsupported(
    bool('refuse redirects of aggregated servers', true),
    'they are always refused',
  ),
  'allow-privileged': bool('let containers be privileged'),
  'coordinated-leadership-lease-duration': unsupported(
    duration('time that a lease lasts', 15_000),
    NO_COORDINATED_ELECTION,
  ),
  'coordinated-leadership-renew-deadline': unsupported(
    duration('time in which it is renewed', 10_000),
    NO_COORDINATED_ELECTION,
  ),
  'coordinated-leadership-retry-period': unsupported(duration('time between two tries', 2000), NO_COORDINATED_ELECTION),
  'enable-aggregator-routing': unsupported(
    bool('reach aggregated servers at their endpoints'),
    'they are reached through their Service',
  ),
  'enable-logs-handler': unsupported(bool('logs of the machine at /logs'), 'logs go to standard output'),
  'endpoint-reconciler-type': reconciler('who keeps the endpoints of the Service kubernetes: lease or none'),
  'event-ttl': duration('time that events are kept', 3_600_000),
  'kubelet-certificate-authority': text('authority of the kubelets; --client-ca-file without it'),
  'kubelet-client-certificate': text('certificate for the kubelets'),
  'kubelet-client-key': text('its key'),
  'kubelet-preferred-address-types': strings('addresses of a node in the order in which they are tried', [
    'Hostname',
    'InternalDNS',
    'InternalIP',
    'ExternalDNS',
    'ExternalIP',
  ]),
  'kubelet-timeout': unsupported(
    duration('time that a kubelet may take', 5000),
    'a kubelet is waited for as long as the client waits',
  ),
  'kubernetes-service-node-port': unsupported(int('node port of the Service kubernetes'), 'it has none'),
  'max-connection-bytes-per-sec': unsupported(int('bytes a second of a stream'), 'streams are not slowed down'),
  'peer-advertise-ip': unsupported(text('address for other API servers'), NO_PEERS),
  'peer-advertise-port': unsupported(text('port for other API servers'), NO_PEERS),
  'peer-ca-file': unsupported(text('authority of other API servers'), NO_PEERS),
  'proxy-client-cert-file': unsupported(text('certificate for aggregated servers'), NOT_BUILT),
  'proxy-client-key-file': unsupported(text('its key'), NOT_BUILT),
  'service-account-signing-endpoint': unsupported(
    text('socket of a program that signs tokens'),
    'use --service-account-signing-key-file',
  ),
  'service-account-signing-key-file': text('key that tokens of service accounts are signed with'),
  'service-cluster-ip-range': text('addresses of Services; 10.0.0.0/24 without it'),
  'service-node-port-range': portRange('ports of Services on nodes', { from: 30_000, to: 32_767 }),
}

export const GLOBAL_FLAGS = {
  help: { ...bool('this text'), short: 'h' },
  version: version(),
}

function reconciler(help: string): Flag<string> {
  return choice(help, 'lease', (value) => {
    if (value !== 'lease' && value !== 'none')
      throw new Error(
        `not supported: ${JSON.stringify(value)}; there is one API server, whose endpoints are kept by lease or by none`,
      )
  })
}

function version(): Flag<string> {
  const parse = (value: string): string => value
  return {
    type: 'version[=true]',
    help: 'print the version and end; raw for all of it',
    initial: 'false',
    implied: 'true',
    parse,
    print: (value) => value,
  }
}
