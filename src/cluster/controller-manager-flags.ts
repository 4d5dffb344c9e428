/** The flags of kube-controller-manager, named and defaulted as upstream's, and what they mean for the controllers. */
import { parseArgs } from 'node:util'
import { parseDuration } from '#base/duration.ts'
import {
  DURATION_MS_DEFAULT,
  SIGNERS,
  type SignerName,
} from '#control-plane/controllers/certificatesigningrequest/policy.ts'
import {
  NODE_LIFECYCLE_DEFAULTS,
  type NodeLifecycleOptions,
} from '#control-plane/controllers/node-lifecycle/options.ts'

export type SigningFiles = { readonly certFile: string; readonly keyFile: string }

export type ControllerManagerFlags = {
  readonly kubeconfig: string | undefined
  readonly leaderElect: boolean
  readonly clusterCidr: string | undefined
  readonly rootCaFile: string | undefined
  readonly serviceAccountPrivateKeyFile: string | undefined
  readonly controllers: readonly string[]
  readonly nodeLifecycle: NodeLifecycleOptions
  /** Where the authority of each signer of CertificateSigningRequests lies; signers without one do not sign. */
  readonly signingFiles: Readonly<Partial<Record<SignerName, SigningFiles>>>
  readonly signingDurationMs: number
}

const OPTIONS = {
  kubeconfig: { type: 'string' },
  'leader-elect': { type: 'boolean', default: true },
  'cluster-cidr': { type: 'string' },
  'root-ca-file': { type: 'string' },
  'service-account-private-key-file': { type: 'string' },
  controllers: { type: 'string', default: '*' },
  'node-monitor-period': { type: 'string' },
  'node-monitor-grace-period': { type: 'string' },
  'node-startup-grace-period': { type: 'string' },
  'node-eviction-rate': { type: 'string' },
  'secondary-node-eviction-rate': { type: 'string' },
  'large-cluster-size-threshold': { type: 'string' },
  'unhealthy-zone-threshold': { type: 'string' },
  'cluster-signing-cert-file': { type: 'string' },
  'cluster-signing-key-file': { type: 'string' },
  'cluster-signing-kube-apiserver-client-cert-file': { type: 'string' },
  'cluster-signing-kube-apiserver-client-key-file': { type: 'string' },
  'cluster-signing-kubelet-client-cert-file': { type: 'string' },
  'cluster-signing-kubelet-client-key-file': { type: 'string' },
  'cluster-signing-kubelet-serving-cert-file': { type: 'string' },
  'cluster-signing-kubelet-serving-key-file': { type: 'string' },
  'cluster-signing-legacy-unknown-cert-file': { type: 'string' },
  'cluster-signing-legacy-unknown-key-file': { type: 'string' },
  'cluster-signing-duration': { type: 'string' },
} as const

/** Signer -> how the flags of its own authority are called. */
const SIGNER_FLAGS: Readonly<Record<SignerName, string>> = {
  'kubernetes.io/kube-apiserver-client': 'cluster-signing-kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet': 'cluster-signing-kubelet-client',
  'kubernetes.io/kubelet-serving': 'cluster-signing-kubelet-serving',
  'kubernetes.io/legacy-unknown': 'cluster-signing-legacy-unknown',
}

/** Throws for a flag that is unknown, or whose value is none. */
export function parseControllerManagerFlags(args: readonly string[]): ControllerManagerFlags {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, allowNegative: true })
  return {
    kubeconfig: values.kubeconfig,
    leaderElect: values['leader-elect'],
    clusterCidr: values['cluster-cidr'],
    rootCaFile: values['root-ca-file'],
    serviceAccountPrivateKeyFile: values['service-account-private-key-file'],
    controllers: values.controllers.split(','),
    nodeLifecycle: nodeLifecycleOf(values),
    signingFiles: signingFilesOf(values),
    signingDurationMs:
      values['cluster-signing-duration'] === undefined
        ? DURATION_MS_DEFAULT
        : durationOf('cluster-signing-duration', values['cluster-signing-duration']),
  }
}

type Values = Readonly<Record<string, string | boolean | undefined>>

/** Either one authority for all signers, or one for each that shall sign. */
function signingFilesOf(values: Values): ControllerManagerFlags['signingFiles'] {
  const shared = filesOf(values, 'cluster-signing')
  const own = SIGNERS.flatMap((signer) => {
    const files = filesOf(values, SIGNER_FLAGS[signer])
    return files === null ? [] : [[signer, files] as const]
  })
  if (shared !== null && own.length > 0)
    throw new Error('cannot specify default and per controller certs at the same time')
  return Object.fromEntries(shared === null ? own : SIGNERS.map((signer) => [signer, shared]))
}

function filesOf(values: Values, flag: string): SigningFiles | null {
  const [certFile, keyFile] = [values[`${flag}-cert-file`], values[`${flag}-key-file`]]
  if (certFile === undefined && keyFile === undefined) return null
  if (typeof certFile !== 'string' || typeof keyFile !== 'string')
    throw new Error(`--${flag}-cert-file and --${flag}-key-file go together`)
  return { certFile, keyFile }
}

function nodeLifecycleOf(values: Values): NodeLifecycleOptions {
  const defaults = NODE_LIFECYCLE_DEFAULTS
  const read = (flag: string, unset: number, parse: (flag: string, text: string) => number): number => {
    const text = values[flag]
    return typeof text === 'string' ? parse(flag, text) : unset
  }
  return {
    nodeMonitorPeriodMs: read('node-monitor-period', defaults.nodeMonitorPeriodMs, durationOf),
    nodeMonitorGracePeriodMs: read('node-monitor-grace-period', defaults.nodeMonitorGracePeriodMs, durationOf),
    nodeStartupGracePeriodMs: read('node-startup-grace-period', defaults.nodeStartupGracePeriodMs, durationOf),
    nodeEvictionRate: read('node-eviction-rate', defaults.nodeEvictionRate, numberOf),
    secondaryNodeEvictionRate: read('secondary-node-eviction-rate', defaults.secondaryNodeEvictionRate, numberOf),
    largeClusterSizeThreshold: read('large-cluster-size-threshold', defaults.largeClusterSizeThreshold, numberOf),
    unhealthyZoneThreshold: read('unhealthy-zone-threshold', defaults.unhealthyZoneThreshold, numberOf),
  }
}

function durationOf(flag: string, text: string): number {
  const duration = parseDuration(text)
  if (duration === null || duration <= 0) throw new Error(`--${flag}: "${text}" is not a duration such as 5s or 1m30s`)
  return duration
}

function numberOf(flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(number) || number < 0) throw new Error(`--${flag}: "${text}" is not a number of 0 or more`)
  return number
}
