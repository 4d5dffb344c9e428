/** Flags of kube-apiserver for its port and its certificates. */
import { unsupported, type Flag } from '../../flag-set/flag.ts'
import { bool, int, ip, strings, text } from '../../flag-set/flag-types.ts'
import { parseInteger } from '../../flag-set/go-numbers.ts'

export type NamedCertificate = {
  readonly certFile: string
  readonly keyFile: string
  readonly names: readonly string[]
}

export const SECURE_SERVING_FLAGS = {
  'bind-address': ip('address that is listened on', '0.0.0.0'),
  'cert-dir': text('folder of the certificate that is made where --tls-cert-file is missing', '/var/run/kubernetes'),
  'disable-http2-serving': bool('serve HTTP/1.1 alone'),
  'http2-max-streams-per-connection': int(
    'requests at once of one connection of HTTP/2; 0 for the default of the program',
  ),
  'permit-address-sharing': unsupported(
    bool('SO_REUSEADDR on the listener'),
    'Node always sets SO_REUSEADDR and cannot be told not to share',
  ),
  'permit-port-sharing': bool('SO_REUSEPORT on the listener'),
  'secure-port': int('port of HTTPS', 6443),
  'tls-cert-file': text('certificate of the server, followed by those of its authorities'),
  'tls-cipher-suites': strings('cipher suites by the names of IANA'),
  'tls-curve-preferences': curves('numbers of the key exchanges that are offered'),
  'tls-min-version': text('oldest version of TLS: VersionTLS12 or VersionTLS13'),
  'tls-private-key-file': text('key of --tls-cert-file'),
  'tls-sni-cert-key': namedCertificates('certificate and key for certain names: CERT,KEY or CERT,KEY:NAME,NAME'),
}

function curves(help: string): Flag<readonly number[]> {
  const parse = (value: string, before: readonly number[] | undefined): number[] => [
    ...(before ?? []),
    ...value.split(',').map((text) => parseInteger(text, { bits: 32 })),
  ]
  return { type: 'int32Slice', help, initial: [], parse, print: (value) => `[${value.join(',')}]` }
}

function namedCertificates(help: string): Flag<readonly NamedCertificate[]> {
  const parse = (value: string, before: readonly NamedCertificate[] | undefined): NamedCertificate[] => {
    const [files = '', names] = value.split(':')
    const [certFile, keyFile, ...more] = files.split(',')
    if (!certFile || !keyFile || more.length > 0)
      throw new Error('expected comma separated certificate and key file paths')
    return [...(before ?? []), { certFile, keyFile, names: names === undefined ? [] : names.split(',') }]
  }
  const one = ({ certFile, keyFile, names }: NamedCertificate): string =>
    `${certFile},${keyFile}${names.length > 0 ? `:${names.join(',')}` : ''}`
  return { type: 'namedCertKey', help, initial: [], parse, print: (value) => `[${value.map(one).join(';')}]` }
}
