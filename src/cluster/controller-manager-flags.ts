/** The flags of kube-controller-manager, named and defaulted as upstream's, and what they mean for the controllers. */
import { Command } from 'commander'
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
import { FlagError, parseBoolean } from './flags.ts'

export type SigningFiles = {
  /** What `-cert-file` and `-key-file` follow in the names of the two flags. */
  readonly flag: string
  readonly certFile: string
  readonly keyFile: string
}

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

/** Flags that take a text, with what `--help` says of them; without a value of its own each keeps upstream's default. */
const TEXT_FLAGS: readonly (readonly [flag: string, description: string])[] = [
  ['kubeconfig <file>', 'how to reach the API server; a pod uses its service account without it'],
  ['cluster-cidr <range>', 'addresses that the pod ranges of nodes are cut from'],
  ['root-ca-file <file>', 'authority of the API server, published to each namespace'],
  ['service-account-private-key-file <file>', 'key that signs the tokens of Secrets'],
  ['controllers <names>', 'names of controllers, `-name` for all but that one, `*` for all'],
  ['node-monitor-period <duration>', 'time between two looks at the heartbeats of nodes'],
  ['node-monitor-grace-period <duration>', 'silence after which a node counts as lost'],
  ['node-startup-grace-period <duration>', 'the same for a node that never reported'],
  ['node-eviction-rate <number>', 'nodes emptied per second in a healthy zone'],
  ['secondary-node-eviction-rate <number>', 'nodes emptied per second in an unhealthy zone'],
  ['large-cluster-size-threshold <number>', 'smaller zones are not emptied while they are unhealthy'],
  ['unhealthy-zone-threshold <number>', 'share of lost nodes from which a zone is unhealthy'],
  ...['', '-kube-apiserver-client', '-kubelet-client', '-kubelet-serving', '-legacy-unknown'].flatMap((signer) => [
    [`cluster-signing${signer}-cert-file <file>`, 'authority that signs CertificateSigningRequests'] as const,
    [`cluster-signing${signer}-key-file <file>`, 'its key'] as const,
  ]),
  ['cluster-signing-duration <duration>', 'longest time that a signed certificate lasts'],
]

/** Signer -> how the flags of its own authority are called. */
const SIGNER_FLAGS: Readonly<Record<SignerName, string>> = {
  'kubernetes.io/kube-apiserver-client': 'cluster-signing-kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet': 'cluster-signing-kubelet-client',
  'kubernetes.io/kubelet-serving': 'cluster-signing-kubelet-serving',
  'kubernetes.io/legacy-unknown': 'cluster-signing-legacy-unknown',
}

function createCommand(): Command {
  const command = new Command('kube-controller-manager')
    .description('Runs the controllers that bring the actual state closer to the desired one.')
    .option('--leader-elect [boolean]', 'of several only the holder of the lease works', parseBoolean, true)
  for (const [flag, description] of TEXT_FLAGS) command.option(`--${flag}`, description)
  return command
}

/** Tells an unknown flag and ends the process; throws FlagError for a value that is none. */
export function parseControllerManagerFlags(
  args: readonly string[],
  command = createCommand(),
): ControllerManagerFlags {
  const options = command.parse([...args], { from: 'user' }).opts<Record<string, string | boolean>>()
  const values: Values = Object.fromEntries(
    command.options.map((option) => [option.long!.slice('--'.length), options[option.attributeName()]]),
  )
  const text = (flag: string): string | undefined => values[flag] as string | undefined
  const duration = text('cluster-signing-duration')
  return {
    kubeconfig: text('kubeconfig'),
    leaderElect: values['leader-elect'] === true,
    clusterCidr: text('cluster-cidr'),
    rootCaFile: text('root-ca-file'),
    serviceAccountPrivateKeyFile: text('service-account-private-key-file'),
    controllers: (text('controllers') ?? '*').split(','),
    nodeLifecycle: nodeLifecycleOf(values),
    signingFiles: signingFilesOf(values),
    signingDurationMs: duration === undefined ? DURATION_MS_DEFAULT : durationOf('cluster-signing-duration', duration),
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
    throw new FlagError('cannot specify default and per controller certs at the same time')
  return Object.fromEntries(shared === null ? own : SIGNERS.map((signer) => [signer, shared]))
}

function filesOf(values: Values, flag: string): SigningFiles | null {
  const [certFile, keyFile] = [values[`${flag}-cert-file`], values[`${flag}-key-file`]]
  if (certFile === undefined && keyFile === undefined) return null
  if (typeof certFile !== 'string' || typeof keyFile !== 'string')
    throw new FlagError(`--${flag}-cert-file and --${flag}-key-file go together`)
  return { flag, certFile, keyFile }
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
  if (duration === null || duration <= 0)
    throw new FlagError(`--${flag}: "${text}" is not a duration such as 5s or 1m30s`)
  return duration
}

function numberOf(flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(number) || number < 0) throw new FlagError(`--${flag}: "${text}" is not a number of 0 or more`)
  return number
}
