/** The API server as a process of its own, with upstream's flags; its store lies in a folder. */
import { networkInterfaces } from 'node:os'
import { parseArgs } from 'node:util'
import { KINDS } from '#api/kinds.ts'
import { SystemClock } from '#base/clock.ts'
import { createLogger, type LogLevel } from '#base/pino-log.ts'
import { SystemRandom } from '#base/random.ts'
import { untilAborted } from '#base/until-signal.ts'
import { createApiServer } from '#control-plane/apiserver/apiserver.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import { readFeatureGates } from './feature-gates-flag.ts'
import { readAdmissionFlags } from './admission-flags.ts'
import { FlagError, portNumber, readFlagFile, wholeNumber } from './flags.ts'

const text = { type: 'string' } as const
const OPTIONS = {
  'data-dir': text,
  'secure-port': { ...text, default: '6443' },
  'bind-address': { ...text, default: '0.0.0.0' },
  'advertise-address': text,
  'tls-cert-file': text,
  'tls-private-key-file': text,
  'client-ca-file': text,
  'token-auth-file': text,
  'service-account-signing-key-file': text,
  'service-account-key-file': { ...text, multiple: true },
  'service-account-issuer': { ...text, multiple: true },
  'service-cluster-ip-range': { ...text, default: '10.0.0.0/24' },
  'service-node-port-range': { ...text, default: '30000-32767' },
  'kubelet-client-certificate': text,
  'kubelet-client-key': text,
  'kubelet-certificate-authority': text,
  'enable-admission-plugins': { ...text, multiple: true },
  'disable-admission-plugins': { ...text, multiple: true },
  'admission-control-config-file': text,
  'default-not-ready-toleration-seconds': { ...text, default: '300' },
  'default-unreachable-toleration-seconds': { ...text, default: '300' },
  'max-requests-inflight': { ...text, default: '400' },
  'max-mutating-requests-inflight': { ...text, default: '200' },
  'feature-gates': { ...text, multiple: true },
  'log-level': { ...text, default: 'info' },
} as const

type Flags = ReturnType<typeof parseFlags>

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values
  } catch (error) {
    throw new FlagError((error as Error).message)
  }
}

/** Runs until `signal` aborts; then everything acknowledged is on disk. */
export async function runKubeApiserver(args: readonly string[], signal: AbortSignal): Promise<void> {
  const flags = parseFlags(args)
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const log = createLogger('kube-apiserver', flags['log-level'] as LogLevel)
  const features = readFeatureGates(flags['feature-gates'], log)
  const options = await readOptions(flags)
  const store = await openEmbeddedStore({ directory: required(flags, 'data-dir'), clock, log })
  const server = await createApiServer({
    ...options,
    features,
    store,
    kinds: KINDS,
    createResources,
    clock,
    random,
    log,
  })
  log.info('serving', { url: server.url })
  await untilAborted(signal)
  await server.close()
  await store.close()
}

async function readOptions(flags: Flags) {
  const read = (name: keyof Flags & string): Promise<string> => readFlagFile(name, required(flags, name))
  const certificateAuthority =
    flags['kubelet-certificate-authority'] === undefined ? 'client-ca-file' : 'kubelet-certificate-authority'
  const keyFiles = flags['service-account-key-file'] ?? []
  return {
    serving: {
      certificate: await read('tls-cert-file'),
      privateKey: await read('tls-private-key-file'),
      address: flags['bind-address'],
      port: portNumber('secure-port', flags['secure-port']),
    },
    advertiseAddress: flags['advertise-address'] ?? addressOf(flags['bind-address']),
    clientCa: await read('client-ca-file'),
    serviceAccountKeys: {
      signingKey: await read('service-account-signing-key-file'),
      verificationKeys: await Promise.all(keyFiles.map((path) => readFlagFile('service-account-key-file', path))),
    },
    ...(flags['service-account-issuer'] === undefined
      ? {}
      : { serviceAccountIssuers: flags['service-account-issuer'] }),
    ...(flags['token-auth-file'] === undefined ? {} : { tokenFile: await read('token-auth-file') }),
    serviceClusterIpRange: flags['service-cluster-ip-range'],
    nodePortRange: parsePortRange(flags['service-node-port-range']),
    kubeletClient: {
      certificate: await read('kubelet-client-certificate'),
      privateKey: await read('kubelet-client-key'),
      certificateAuthority: await read(certificateAuthority),
    },
    admission: await readAdmissionFlags({
      enabled: flags['enable-admission-plugins'] ?? [],
      disabled: flags['disable-admission-plugins'] ?? [],
      configurationFile: flags['admission-control-config-file'] ?? '',
      notReadySeconds: flags['default-not-ready-toleration-seconds'],
      unreachableSeconds: flags['default-unreachable-toleration-seconds'],
    }),
    limits: {
      readOnly: wholeNumber('max-requests-inflight', flags['max-requests-inflight']),
      mutating: wholeNumber('max-mutating-requests-inflight', flags['max-mutating-requests-inflight']),
    },
  }
}

function required(flags: Flags, name: keyof Flags & string): string {
  const value = flags[name]
  if (typeof value !== 'string' || value === '') throw new FlagError(`--${name} is missing`)
  return value
}

function parsePortRange(range: string): { from: number; to: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(range)
  const [from, to] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || from > to || to > 65_535)
    throw new FlagError(`--service-node-port-range: ${JSON.stringify(range)} is no range of ports`)
  return { from, to }
}

/** The address that others reach: of a listener on all addresses, the first one that is not loopback. */
function addressOf(bindAddress: string): string {
  if (bindAddress !== '0.0.0.0' && bindAddress !== '::') return bindAddress
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
