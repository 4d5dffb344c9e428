/** Reads `--feature-gates` as upstream's components do, and says which of the gates change nothing here. */
import {
  defaultOf,
  FeatureGateError,
  resolveFeatureGates,
  stageOf,
  type FeatureGate,
  type FeatureGates,
  type FeatureGateState,
} from '#base/feature-gates.ts'
import type { Logger } from '#base/log.ts'
import { FlagError } from './flags.ts'

export const FEATURE_GATES_HELP =
  'features to switch on or off, as Name=true|false,…; AllAlpha and AllBeta are for many'

/** The component that names without a prefix belong to. */
const DEFAULT_COMPONENT = 'kube'

/** The gates of all values of the flag, having told the log what there is to know of them. */
export function readFeatureGates(values: readonly string[] | undefined, log: Logger): FeatureGates {
  const gates = parseFeatureGates(values ?? [])
  for (const warning of featureGateWarnings(gates)) log.warn(warning)
  return gates
}

/** The gates of all values of the flag. Throws FlagError with upstream's text. */
export function parseFeatureGates(values: readonly string[]): FeatureGates {
  try {
    return resolveFeatureGates(requestedGates(values))
  } catch (error) {
    if (error instanceof FeatureGateError) throw new FlagError(error.message)
    throw error
  }
}

function requestedGates(values: readonly string[]): Map<string, boolean> {
  const byComponent = Map.groupBy(values.flatMap(splitPairs), ({ component }) => component)
  if (byComponent.has('') && byComponent.has(DEFAULT_COMPONENT))
    throw new FlagError('set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use')
  const unknown = byComponent.keys().find((component) => component !== '' && component !== DEFAULT_COMPONENT)
  if (unknown !== undefined) throw new FlagError(`component not registered: ${unknown}`)
  return new Map([...byComponent.values()].flat().map(({ pair }) => parsePair(pair)))
}

function splitPairs(value: string): { component: string; pair: string }[] {
  const pairs = value.split(',').filter((pair) => pair !== '')
  return pairs.map((pair) => {
    const colon = pair.indexOf(':')
    return { component: pair.slice(0, Math.max(colon, 0)).trim(), pair: pair.slice(colon + 1).trim() }
  })
}

function parsePair(pair: string): [string, boolean] {
  const at = pair.indexOf('=')
  if (at < 0) throw new FlagError(`missing bool value for ${pair}`)
  const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
  const isOn = parseGoBoolean(value)
  if (isOn === null) {
    const reason = `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`
    throw new FlagError(`invalid value of ${name}=${value}, err: ${reason}`)
  }
  return [name, isOn]
}

function parseGoBoolean(text: string): boolean | null {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : null
}

/** The gates that an API server heeds; one that is set to its other value without being here changes nothing. */
export const GATES_WITH_EFFECT: ReadonlySet<FeatureGate> = new Set<FeatureGate>([
  'AllAlpha',
  'AllBeta',
  'CBORServingAndStorage',
  'ShardedListAndWatch',
  // Resources that come and go with them.
  'ClusterTrustBundle',
  'PodCertificateRequest',
  'StorageVersionMigrator',
  // Fields that are dropped without them.
  'ClusterTrustBundleProjection',
  'ContainerRestartRules',
  'DRAConsumableCapacity',
  'DRADeviceBindingConditions',
  'DRADeviceTaints',
  'DRAPartitionableDevices',
  'DRAPartitionableDevicesType',
  'DeploymentReplicaSetTerminatingReplicas',
  'EnvFiles',
  'HPAGeneration',
  'InPlacePodLevelResourcesVerticalScaling',
  'MatchLabelKeysInPodTopologySpread',
  'MaxUnavailableStatefulSet',
  'PodLevelResources',
  'ResourceHealthStatus',
  'ResourceHealthStatusMessage',
  'ServiceCIDRStatusFieldWiping',
  'VolumeLimitScaling',
  // Values and changes that are refused without them, or with them.
  'HPAScaleToZero',
  'MutablePVNodeAffinity',
  'PodDeletionCost',
  'RestartAllContainersOnContainerExits',
  'SELinuxMount',
])

/** The gates whose fields the API keeps, while no component of this cluster acts on them. */
export const GATES_OF_FIELDS: ReadonlySet<FeatureGate> = new Set<FeatureGate>([
  'AtomicWriteVolumeUserFields',
  'CSIVolumeHealth',
  'ContainerStopSignals',
  'CoordinatedLeaderElection',
  'CrossNamespaceVolumeDataSource',
  'DRADerivedAttributes',
  'DRADeviceCompatibilityGroups',
  'DRAListTypeAttributes',
  'DRANodeAllocatableResources',
  'DRAOptionalNodeOperations',
  'EmptyDirVolumeMode',
  'EvictionRequestAPI',
  'GRPCContainerProbeTLS',
  'GenericWorkload',
  'H2CContainerProbe',
  'ImageVolumeWithDigest',
  'InPlacePodVerticalScalingSchedulerPreemption',
  'StatefulSetRecreateStrategy',
  'TaintTolerationComparisonOperators',
  'UserNamespacesHostNetworkSupport',
  'VolumeBindMountOptions',
])

/** What the log of a start says of gates that were set: each text once, in the order of the gates. */
export function featureGateWarnings(gates: FeatureGates, effective = GATES_WITH_EFFECT): string[] {
  const warnings = [...gates.requested()].flatMap(([name, value]) => {
    const stage = stageOf(name)
    if (stage !== 'GA' && stage !== 'DEPRECATED') return []
    const kind = stage === 'GA' ? 'GA' : 'deprecated'
    return [`setting ${kind} feature gate. It will be removed in a future release: ${name}=${value}`]
  })
  const changed = gates.all().filter(({ name, enabled }) => enabled !== defaultOf(name) && !effective.has(name))
  const ofFields = changed.filter(({ name }) => GATES_OF_FIELDS.has(name))
  const idle = changed.filter(({ name }) => !GATES_OF_FIELDS.has(name))
  if (ofFields.length > 0)
    warnings.push(`feature gates whose fields are kept, and not acted on by this cluster yet: ${textOf(ofFields)}`)
  if (idle.length > 0) warnings.push(`feature gates that change nothing in this cluster: ${textOf(idle)}`)
  return warnings
}

function textOf(gates: readonly FeatureGateState[]): string {
  return gates.map(({ name, enabled }) => `${name}=${enabled}`).join(',')
}
