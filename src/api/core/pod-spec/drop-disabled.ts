/** Removes fields of features that are off in this version, unless the stored object uses them already. */
import type { FeatureGate, FeatureGates } from '#base/feature-gates.ts'
import type { PodSpec, PodTemplateSpec } from '#api/core/v1.gen.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { type AnyContainer, someContainer } from './containers-of.ts'
import { httpActions, probesOf } from './http-protocol.ts'

/** Init containers were annotations once. */
const INIT_CONTAINER_ANNOTATIONS = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
]

export type DropOptions = {
  readonly old: PodSpec | undefined
  readonly metadata: TemplateMeta | undefined
  readonly features: FeatureGates
}

export function dropDisabledTemplateFields(
  template: PodTemplateSpec,
  old: PodTemplateSpec | undefined,
  features: FeatureGates,
): void {
  if (template.spec) dropDisabledFields(template.spec, { old: old?.spec, metadata: template.metadata, features })
}

export function dropDisabledFields(spec: PodSpec, { old, metadata, features }: DropOptions): void {
  for (const { gate, isUsed, drop } of SPEC_DROPS) {
    if (features.isEnabled(gate)) continue
    if (old === undefined || !isUsed(old)) drop(spec)
  }
  dropContainerFields(spec, old, features)
  for (const name of INIT_CONTAINER_ANNOTATIONS) delete metadata?.annotations?.[name]
}

type SpecDrop = {
  readonly gate: FeatureGate
  isUsed(spec: PodSpec): boolean
  drop(spec: PodSpec): void
}

/** What a pod may only keep when the old object has it too. */
const SPEC_DROPS: readonly SpecDrop[] = [
  {
    gate: 'GenericWorkload',
    isUsed: ({ schedulingGroup }) => schedulingGroup !== undefined,
    drop: (spec) => delete spec.schedulingGroup,
  },
  {
    gate: 'EvictionRequestAPI',
    isUsed: ({ evictionResponders }) => evictionResponders !== undefined,
    drop: (spec) => delete spec.evictionResponders,
  },
  {
    gate: 'PodLevelResources',
    isUsed: ({ resources }) => resources !== undefined,
    drop: (spec) => delete spec.resources,
  },
  {
    gate: 'MatchLabelKeysInPodTopologySpread',
    isUsed: ({ topologySpreadConstraints = [] }) =>
      topologySpreadConstraints.some(({ matchLabelKeys }) => (matchLabelKeys?.length ?? 0) > 0),
    drop({ topologySpreadConstraints = [] }) {
      for (const constraint of topologySpreadConstraints) delete constraint.matchLabelKeys
    },
  },
  {
    gate: 'ContainerRestartRules',
    isUsed: ({ containers, initContainers = [] }) =>
      initContainers.some(hasOwnInitRestart) ||
      (containers ?? []).some(({ restartPolicy }) => restartPolicy !== undefined),
    drop: dropRestartRules,
  },
  volumeDrop('EmptyDirVolumeMode', {
    isUsed: ({ emptyDir }) => emptyDir?.mode !== undefined,
    drop: ({ emptyDir }) => delete emptyDir?.mode,
  }),
  volumeDrop('ClusterTrustBundleProjection', sourceDrop('clusterTrustBundle')),
  volumeDrop('PodCertificateRequest', sourceDrop('podCertificate')),
  volumeDrop('AtomicWriteVolumeUserFields', {
    isUsed: usesFileUsers,
    drop(volume) {
      for (const holder of userHolders(volume)) dropUsers(holder)
    },
  }),
]

function hasOwnInitRestart({ restartPolicy = 'Always', restartPolicyRules = [] }: AnyContainer): boolean {
  return restartPolicy !== 'Always' || restartPolicyRules.length > 0
}

/** Sidecars keep the policy that makes them what they are. */
function dropRestartRules({ initContainers = [], containers, ephemeralContainers = [] }: PodSpec): void {
  for (const container of [...initContainers, ...(containers ?? []), ...ephemeralContainers]) {
    const isSidecar = initContainers.includes(container) && container.restartPolicy === 'Always'
    if (!isSidecar) delete container.restartPolicy
    delete container.restartPolicyRules
  }
}

type VolumeDrop = { isUsed(volume: Volume): boolean; drop(volume: Volume): void }

function volumeDrop(gate: FeatureGate, { isUsed, drop }: VolumeDrop): SpecDrop {
  return {
    gate,
    isUsed: ({ volumes = [] }) => volumes.some(isUsed),
    drop({ volumes = [] }) {
      for (const volume of volumes) if (isUsed(volume)) drop(volume)
    },
  }
}

function sourceDrop(source: 'clusterTrustBundle' | 'podCertificate'): VolumeDrop {
  return {
    isUsed: ({ projected }) => projected?.sources?.some((one) => one[source] !== undefined) ?? false,
    drop({ projected }) {
      for (const one of projected?.sources ?? []) delete one[source]
    },
  }
}

type UserHolder = { defaultUser?: number; user?: number }
type Volume = NonNullable<PodSpec['volumes']>[number]

/** Everything in a volume that can name the owner of its files. */
function userHolders({ secret, configMap, downwardAPI, projected }: Volume): UserHolder[] {
  const holders: (UserHolder | undefined)[] = [secret, configMap, downwardAPI, projected]
  for (const part of [secret, configMap, downwardAPI]) holders.push(...(part?.items ?? []))
  for (const source of projected?.sources ?? []) {
    holders.push(source.serviceAccountToken, source.clusterTrustBundle, source.podCertificate)
    for (const part of [source.secret, source.configMap, source.downwardAPI]) holders.push(...(part?.items ?? []))
  }
  return holders.filter((holder) => holder !== undefined)
}

function usesFileUsers(volume: Volume): boolean {
  return userHolders(volume).some(({ defaultUser, user }) => defaultUser !== undefined || user !== undefined)
}

function dropUsers(holder: UserHolder): void {
  delete holder.defaultUser
  delete holder.user
}

/** What a container may only keep when the old object has it too. */
const CONTAINER_DROPS: readonly {
  readonly gate: FeatureGate
  isUsed(container: AnyContainer): boolean
  drop(container: AnyContainer): void
}[] = [
  {
    gate: 'ContainerStopSignals',
    isUsed: ({ lifecycle }) => lifecycle?.stopSignal !== undefined,
    drop(container) {
      delete container.lifecycle!.stopSignal
      if (Object.keys(container.lifecycle!).length === 0) delete container.lifecycle
    },
  },
  {
    gate: 'VolumeBindMountOptions',
    isUsed: ({ volumeMounts = [] }) => volumeMounts.some(({ bindMountOptions }) => bindMountOptions !== undefined),
    drop({ volumeMounts = [] }) {
      for (const mount of volumeMounts) delete mount.bindMountOptions
    },
  },
  {
    gate: 'GRPCContainerProbeTLS',
    isUsed: (container) => probesOf(container).some(({ grpc }) => grpc?.mode !== undefined),
    drop(container) {
      for (const { grpc } of probesOf(container)) if (grpc) delete grpc.mode
    },
  },
  {
    gate: 'H2CContainerProbe',
    isUsed: (container) => httpActions(container).some((action) => action.protocol !== undefined),
    drop(container) {
      for (const action of httpActions(container)) delete action.protocol
    },
  },
  {
    gate: 'EnvFiles',
    isUsed: ({ env = [] }) => env.some(({ valueFrom }) => valueFrom?.fileKeyRef !== undefined),
    drop({ env = [] }) {
      for (const { valueFrom } of env) delete valueFrom?.fileKeyRef
    },
  },
]

function dropContainerFields(spec: PodSpec, old: PodSpec | undefined, features: FeatureGates): void {
  for (const { gate, isUsed, drop } of CONTAINER_DROPS) {
    if (features.isEnabled(gate)) continue
    if (!someContainer(spec, isUsed) || (old !== undefined && someContainer(old, isUsed))) continue
    const lists: (readonly AnyContainer[] | undefined)[] = [
      spec.initContainers,
      spec.containers,
      spec.ephemeralContainers,
    ]
    for (const list of lists) for (const container of list ?? []) if (isUsed(container)) drop(container)
  }
}
