/** The API server as a process of its own, with upstream's flags; its store lies in a folder. */
import { networkInterfaces } from 'node:os'
import { SystemClock, type Clock } from '#base/clock.ts'
import { createLogger } from '#base/pino-log.ts'
import { SystemRandom } from '#base/random.ts'
import { untilAborted } from '#base/until-signal.ts'
import { createApiServer, type ApiServerOptions } from '#control-plane/apiserver/apiserver.ts'
import { firstServiceAddress } from '#control-plane/apiserver/bootstrap/service-range.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import { VERSION } from '#control-plane/apiserver/version.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import { readFeatureGates } from './feature-gates-flag.ts'
import { readAdmissionFlags } from './admission-flags.ts'
import { parseFlags } from './flag-set/parse-flags.ts'
import { renderHelp } from './flag-set/render-help.ts'
import { FlagError, readFlagFile } from './flags.ts'
import {
  KUBE_APISERVER_SECTIONS,
  type KubeApiserverFlags,
  type KubeApiserverValues,
} from './kube-apiserver/flags/index.ts'
import { followCertificate } from './kube-apiserver/follow-certificate.ts'
import { readAudit } from './kube-apiserver/read-audit.ts'
import { readServing } from './kube-apiserver/read-serving.ts'
import { readSettings } from './kube-apiserver/read-settings.ts'
import { readRuntimeConfig } from './runtime-config-flag.ts'
import { validateValues } from './kube-apiserver/validate-values.ts'

const COMPONENT = 'kube-apiserver'
const PURPOSE =
  "Serves the Kubernetes API: checks and keeps the cluster's objects, and tells all other components of their changes."
/** Go's klog shows what is of interest to developers from here on. */
const DEBUG_LEVEL = 4
const SERVICE_RANGE_DEFAULT = '10.0.0.0/24'

/** Runs until `signal` aborts; then everything acknowledged is on disk. */
export async function runKubeApiserver(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values, texts } = parseFlags<KubeApiserverFlags>(COMPONENT, KUBE_APISERVER_SECTIONS, args)
  const answer = answerOf(values)
  if (answer !== null) return void process.stdout.write(answer)
  validateValues(values)
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const log = createLogger(COMPONENT, values.v >= DEBUG_LEVEL ? 'debug' : 'info')
  const features = readFeatureGates(values['feature-gates'], log)
  const kinds = readRuntimeConfig(values['runtime-config'], features, values['enable-priority-and-fairness'])
  const options = await readOptions(values, clock)
  // What was opened is closed in the opposite order, whatever happens.
  await using opened = new AsyncDisposableStack()
  const audit = await readAudit(values, { clock, log: log.child({ part: 'audit' }) })
  if (audit !== null) opened.defer(() => audit.backend.close())
  const store = await openEmbeddedStore({ directory: values['data-dir'], clock, log })
  opened.defer(() => store.close())
  const server = await createApiServer({
    ...options,
    flags: texts,
    ...(audit === null ? {} : { audit }),
    features,
    store,
    kinds,
    createResources,
    clock,
    random,
    log,
  })
  opened.defer(() => server.close())
  log.info('serving', { url: server.url })
  if (values['tls-cert-file'] !== '')
    void followCertificate(values, options.serving, {
      clock,
      log,
      signal,
      use: (certificate) => server.setCertificate(certificate),
    })
  await untilAborted(signal)
}

/** What is told instead of serving. */
function answerOf({ help, version }: KubeApiserverValues): string | null {
  if (help) return renderHelp({ component: COMPONENT, purpose: PURPOSE }, KUBE_APISERVER_SECTIONS)
  if (version === 'true') return `Kubernetes ${VERSION.gitVersion}\n`
  if (version === 'raw') return `${JSON.stringify(VERSION)}\n`
  if (version === 'false') return null
  throw new FlagError(`--version is not supported: the version is ${VERSION.gitVersion} and no other can be reported`)
}

type ReadOptions = Omit<
  ApiServerOptions,
  'audit' | 'features' | 'flags' | 'store' | 'kinds' | 'createResources' | 'clock' | 'random' | 'log'
>

async function readOptions(values: KubeApiserverValues, clock: Clock): Promise<ReadOptions> {
  const read = (name: string, path: string): Promise<string> =>
    path === '' ? Promise.resolve('') : readFlagFile(name, path)
  const clientCa = await read('client-ca-file', values['client-ca-file'])
  const advertiseAddress = values['advertise-address'] || addressOf(values['bind-address'])
  const serviceClusterIpRange = values['service-cluster-ip-range'] || SERVICE_RANGE_DEFAULT
  const serviceAddress = firstServiceAddress(serviceClusterIpRange)
  const tokenFile = values['token-auth-file']
  const external = values['external-hostname']
  return {
    serving: await readServing(values, { advertiseAddress, serviceAddress }, clock),
    advertiseAddress,
    ...(external === '' ? {} : { externalHost: external }),
    clientCa,
    serviceAccountKeys: {
      signingKey: await read('service-account-signing-key-file', values['service-account-signing-key-file']),
      verificationKeys: await Promise.all(
        values['service-account-key-file'].map((path) => readFlagFile('service-account-key-file', path)),
      ),
    },
    serviceAccountIssuers: values['service-account-issuer'],
    ...(tokenFile === '' ? {} : { tokenFile: await read('token-auth-file', tokenFile) }),
    serviceClusterIpRange,
    nodePortRange: values['service-node-port-range'],
    kubeletClient: {
      addressTypes: values['kubelet-preferred-address-types'],
      certificate: await read('kubelet-client-certificate', values['kubelet-client-certificate']),
      privateKey: await read('kubelet-client-key', values['kubelet-client-key']),
      certificateAuthority:
        (await read('kubelet-certificate-authority', values['kubelet-certificate-authority'])) || clientCa,
    },
    admission: {
      allowPrivileged: values['allow-privileged'],
      ...(await readAdmissionFlags({
        enabled: values['enable-admission-plugins'],
        disabled: values['disable-admission-plugins'],
        configurationFile: values['admission-control-config-file'],
        notReadySeconds: values['default-not-ready-toleration-seconds'],
        unreachableSeconds: values['default-unreachable-toleration-seconds'],
      })),
    },
    limits: {
      readOnly: values['max-requests-inflight'] || Infinity,
      mutating: values['max-mutating-requests-inflight'] || Infinity,
    },
    settings: await readSettings(values),
  }
}

/** The address that others reach: of a listener on all addresses, the first one that is not loopback. */
function addressOf(bindAddress: string): string {
  if (bindAddress !== '' && bindAddress !== '0.0.0.0' && bindAddress !== '::') return bindAddress
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
