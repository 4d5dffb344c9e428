/** What kube-apiserver's flags say of its port: certificates from files, or one of its own making. */
import { X509Certificate } from 'node:crypto'
import type { Clock } from '#base/clock.ts'
import type { ServingCertificate, ServingOptions } from '#control-plane/apiserver/http/serving-options.ts'
import { createAuthority, issueCertificate } from '../certificates/authority.ts'
import { loadOrCreate } from '../certificates/certificate-files.ts'
import { FlagError, readFlagFile } from '../flags.ts'
import type { NamedCertificate } from './flags/secure-serving.ts'
import type { KubeApiserverValues } from './flags/index.ts'
import { cipherSuite, keyExchange, tlsVersion } from './tls-names.ts'

export type ServingPlace = { readonly advertiseAddress: string; readonly serviceAddress: string }

export async function readServing(
  values: KubeApiserverValues,
  place: ServingPlace,
  clock: Clock,
): Promise<ServingOptions> {
  const [minVersion, streams] = [values['tls-min-version'], values['http2-max-streams-per-connection']]
  const [suites, curves] = [values['tls-cipher-suites'], values['tls-curve-preferences']]
  return {
    ...(await readCertificate(values, place, clock)),
    address: values['bind-address'] || '0.0.0.0',
    port: values['secure-port'],
    named: await Promise.all(values['tls-sni-cert-key'].map(readNamed)),
    ...(minVersion === '' ? {} : { minVersion: tlsVersion(minVersion) }),
    ...(suites.length === 0 ? {} : { ciphers: suites.map(cipherSuite) }),
    ...(curves.length === 0 ? {} : { curves: curves.map(keyExchange) }),
    ...(streams === 0 ? {} : { streamsMax: streams }),
    isHttp2Off: values['disable-http2-serving'],
    reusePort: values['permit-port-sharing'],
    goawayChance: values['goaway-chance'],
  }
}

async function readCertificate(
  values: KubeApiserverValues,
  { advertiseAddress, serviceAddress }: ServingPlace,
  clock: Clock,
): Promise<ServingCertificate> {
  const [certFile, keyFile] = [values['tls-cert-file'], values['tls-private-key-file']]
  if ((certFile === '') !== (keyFile === ''))
    throw new FlagError('--tls-cert-file and --tls-private-key-file go together')
  if (certFile !== '') return readCertificateFiles(values)
  return loadOrCreate(values['cert-dir'], 'apiserver', async () => {
    const authority = await createAuthority(`${advertiseAddress}-ca`, clock)
    const hosts = [
      advertiseAddress,
      '127.0.0.1',
      'localhost',
      serviceAddress,
      'kubernetes.default.svc',
      'kubernetes.default',
      'kubernetes',
    ]
    const pair = await issueCertificate(authority, { commonName: advertiseAddress, hosts, usages: ['server'] }, clock)
    return { certificate: pair.certificate + authority.certificate, privateKey: pair.privateKey }
  })
}

export type CertificateFlags = Pick<KubeApiserverValues, 'tls-cert-file' | 'tls-private-key-file'>

export async function readCertificateFiles(values: CertificateFlags): Promise<ServingCertificate> {
  return {
    certificate: await readFlagFile('tls-cert-file', values['tls-cert-file']),
    privateKey: await readFlagFile('tls-private-key-file', values['tls-private-key-file']),
  }
}

/** Without names of its own a certificate stands for those that it holds. */
async function readNamed({
  certFile,
  keyFile,
  names,
}: NamedCertificate): Promise<ServingCertificate & { names: readonly string[] }> {
  const certificate = await readFlagFile('tls-sni-cert-key', certFile)
  const privateKey = await readFlagFile('tls-sni-cert-key', keyFile)
  return { certificate, privateKey, names: names.length > 0 ? names : hostsOf(certificate) }
}

function hostsOf(certificate: string): string[] {
  const { subjectAltName = '', subject } = new X509Certificate(certificate)
  const names = [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name]) => name!)
  return names.length > 0 ? names : [/^CN=(.*)$/m.exec(subject)?.[1] ?? ''].filter((name) => name !== '')
}
