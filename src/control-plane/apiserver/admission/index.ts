/** The admission plugins in upstream's order: each of them changes first, later the same list checks. */
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionMetrics } from '../metrics/admission-metrics.ts'
import { AdmissionChain, type AdmissionPlugin } from './admission.ts'
import { alwaysAdmit, alwaysDeny } from './always.ts'
import { alwaysPullImages } from './always-pull-images.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { createCertificateApproval, createCertificateSigning } from './certificate-signing.ts'
import { certificateSubjectRestriction } from './certificate-subject-restriction.ts'
import { createClusterTrustBundleAttest } from './cluster-trust-bundle-attest.ts'
import type { PluginConfigurations } from './configuration.ts'
import { createDefaultIngressClass } from './default-ingress-class.ts'
import { createDefaultStorageClass } from './default-storage-class.ts'
import {
  createDefaultTolerationSeconds,
  DEFAULT_TOLERATION_SECONDS,
  type TolerationSeconds,
} from './default-toleration-seconds.ts'
import { denyServiceExternalIps } from './deny-service-external-ips.ts'
import { createDeviceAdminAccess } from './device-admin-access.ts'
import { createEventRateLimit } from './event-rate-limit.ts'
import { extendedResourceToleration } from './extended-resource-toleration.ts'
import { createLimitRanger } from './limit-ranger.ts'
import { limitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology.ts'
import { createNamespaceAutoProvision, createNamespaceExists, type NamespaceCreator } from './namespace-exists.ts'
import { createNamespaceLifecycle } from './namespace-lifecycle.ts'
import { createNodeDeclaredFeatureValidator } from './node-declared-feature-validator.ts'
import { createNodeRestriction } from './node-restriction/node-restriction.ts'
import { createOwnerReferencesPermissionEnforcement } from './owner-references-permission-enforcement.ts'
import { createPersistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'
import {
  readEventLimits,
  readLimitedResources,
  readNodeSelectors,
  readTolerationConfiguration,
  refuseImagePolicy,
} from './plugin-configurations.ts'
import { createPodNodeSelector } from './pod-node-selector.ts'
import { createPodResizeValidator } from './pod-resize.ts'
import { readPodSecurityConfiguration } from './pod-security/configuration.ts'
import { createPodSecurity } from './pod-security/pod-security.ts'
import { createPodTolerationRestriction } from './pod-toleration-restriction.ts'
import { createPodTopologyLabels } from './pod-topology-labels.ts'
import { createPriorityPlugin } from './priority.ts'
import { createRbacEscalationCheck } from './rbac-escalation.ts'
import { privilegedContainers } from './privileged-containers.ts'
import { createResourceQuota, type QuotaWriter } from './resource-quota/resource-quota.ts'
import { createRuntimeClassPlugin } from './runtime-class.ts'
import { isSelected, selectionProblems, type PluginSelection } from './selection.ts'
import { createServiceAccountPlugin } from './service-account.ts'
import { createServiceAllocation, type ServicePools } from './service-allocation.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'

/** What a server is told about its admission; without it the defaults hold. */
export type AdmissionSettings = Partial<PluginSelection> & {
  readonly configurations?: PluginConfigurations
  readonly tolerationSeconds?: TolerationSeconds
  /** False: no container may be privileged. */
  readonly allowPrivileged?: boolean
}

export type AdmissionOptions = {
  readonly kinds: readonly KindDefinition[]
  readonly cluster: ClusterReader
  readonly random: RandomSource
  readonly authorizer: Authorizer
  readonly pools: ServicePools
  readonly clock: Clock
  readonly writeQuota: QuotaWriter
  readonly createNamespace: NamespaceCreator
  readonly settings: AdmissionSettings
  readonly metrics?: AdmissionMetrics
}

type Parts = Omit<AdmissionOptions, 'settings'> & {
  readonly configurations: PluginConfigurations
  readonly tolerationSeconds: TolerationSeconds
}

/** `create` is null where there is nothing to do: the plugin stays known by its name, and at its place. */
type Entry = {
  readonly name: string
  readonly isDefault: boolean
  readonly create: ((parts: Parts) => AdmissionPlugin) | null
}

const on = (name: string, create: Entry['create']): Entry => ({ name, isDefault: true, create })
const off = (name: string, create: Entry['create']): Entry => ({ name, isDefault: false, create })

const PLUGINS: readonly Entry[] = [
  off('AlwaysAdmit', () => alwaysAdmit),
  off('NamespaceAutoProvision', ({ cluster, createNamespace }) =>
    createNamespaceAutoProvision(cluster, createNamespace),
  ),
  on('NamespaceLifecycle', ({ cluster }) => createNamespaceLifecycle(cluster)),
  off('NamespaceExists', ({ cluster }) => createNamespaceExists(cluster)),
  off('LimitPodHardAntiAffinityTopology', () => limitPodHardAntiAffinityTopology),
  on('LimitRanger', ({ cluster }) => createLimitRanger(cluster)),
  on('ServiceAccount', ({ cluster, random }) => createServiceAccountPlugin(cluster, random)),
  off('NodeRestriction', createNodeRestriction),
  on('TaintNodesByCondition', () => taintNodesByCondition),
  off('AlwaysPullImages', () => alwaysPullImages),
  off('ImagePolicyWebhook', refuseImagePolicy),
  on('PodSecurity', ({ cluster, configurations, metrics }) =>
    createPodSecurity(cluster, readPodSecurityConfiguration(configurations), metrics?.podSecurity),
  ),
  off('PodNodeSelector', ({ cluster, configurations }) =>
    createPodNodeSelector(cluster, readNodeSelectors(configurations)),
  ),
  on('Priority', ({ cluster }) => createPriorityPlugin(cluster)),
  on('DefaultTolerationSeconds', ({ tolerationSeconds }) => createDefaultTolerationSeconds(tolerationSeconds)),
  off('PodTolerationRestriction', ({ cluster, configurations }) =>
    createPodTolerationRestriction(cluster, readTolerationConfiguration(configurations)),
  ),
  off('EventRateLimit', ({ clock, configurations }) => createEventRateLimit(readEventLimits(configurations), clock)),
  off('ExtendedResourceToleration', () => extendedResourceToleration),
  on('DefaultStorageClass', ({ cluster }) => createDefaultStorageClass(cluster)),
  on('StorageObjectInUseProtection', () => storageObjectInUseProtection),
  // Acts with the feature gate GenericWorkload, which is off: pod groups are not served.
  on('PodGroupProtection', null),
  off('OwnerReferencesPermissionEnforcement', ({ authorizer, kinds }) =>
    createOwnerReferencesPermissionEnforcement(authorizer, kinds),
  ),
  on('PersistentVolumeClaimResize', ({ cluster }) => createPersistentVolumeClaimResize(cluster)),
  on('RuntimeClass', ({ cluster }) => createRuntimeClassPlugin(cluster)),
  on('CertificateApproval', ({ authorizer }) => createCertificateApproval(authorizer)),
  on('CertificateSigning', ({ authorizer }) => createCertificateSigning(authorizer)),
  on('ClusterTrustBundleAttest', ({ authorizer }) => createClusterTrustBundleAttest(authorizer)),
  on('CertificateSubjectRestriction', () => certificateSubjectRestriction),
  on('DefaultIngressClass', ({ cluster }) => createDefaultIngressClass(cluster)),
  off('DenyServiceExternalIPs', () => denyServiceExternalIps),
  on('PodTopologyLabels', ({ cluster }) => createPodTopologyLabels(cluster)),
  on('NodeDeclaredFeatureValidator', ({ cluster }) => createNodeDeclaredFeatureValidator(cluster)),
  on('PodResizeValidator', ({ cluster }) => createPodResizeValidator(cluster)),
  // Policies and webhooks are stored and not called: whoever writes one is warned.
  on('MutatingAdmissionPolicy', null),
  on('MutatingAdmissionWebhook', null),
  on('ValidatingAdmissionPolicy', null),
  on('ValidatingAdmissionWebhook', null),
  on('ResourceQuota', ({ cluster, clock, writeQuota, configurations }) =>
    createResourceQuota(cluster, clock, writeQuota, readLimitedResources(configurations)),
  ),
  off('AlwaysDeny', () => alwaysDeny),
]

export const PLUGIN_NAMES: readonly string[] = PLUGINS.map(({ name }) => name)

/** Those that run unless they are disabled. */
export const DEFAULT_PLUGIN_NAMES: readonly string[] = PLUGINS.flatMap(({ name, isDefault }) =>
  isDefault ? [name] : [],
)

/** Throws when the settings name plugins that do not exist, or configure one badly. */
export function createAdmission(options: AdmissionOptions): AdmissionChain {
  const { cluster, authorizer, pools, settings } = options
  const { configurations = new Map(), tolerationSeconds = DEFAULT_TOLERATION_SECONDS } = settings
  const selection = { enabled: settings.enabled ?? [], disabled: settings.disabled ?? [] }
  const problems = selectionProblems(selection, PLUGIN_NAMES)
  if (problems.length > 0) throw new Error(problems.join(', '))
  const parts = { ...options, configurations, tolerationSeconds }
  return new AdmissionChain(
    PLUGINS.filter((entry) => isSelected(entry, selection)).flatMap(({ create }) => create?.(parts) ?? []),
    [
      ...(settings.allowPrivileged === false ? [privilegedContainers] : []),
      createRbacEscalationCheck(cluster, authorizer),
      createDeviceAdminAccess(cluster),
      createServiceAllocation(pools),
    ],
    options.metrics === undefined ? null : { metrics: options.metrics, clock: options.clock },
  )
}
