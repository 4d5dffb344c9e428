/** The admission plugins in upstream's order: each of them changes first, later the same list checks. */
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { AdmissionChain } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { createCertificateApproval, createCertificateSigning } from './certificate-signing.ts'
import { certificateSubjectRestriction } from './certificate-subject-restriction.ts'
import { createDefaultIngressClass } from './default-ingress-class.ts'
import { createDefaultStorageClass } from './default-storage-class.ts'
import { createDeviceAdminAccess } from './device-admin-access.ts'
import { createLimitRanger } from './limit-ranger.ts'
import { createPersistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'
import { createPodResizeValidator } from './pod-resize.ts'
import { createPodTopologyLabels } from './pod-topology-labels.ts'
import { createResourceQuota, type QuotaWriter } from './resource-quota/resource-quota.ts'
import { createRuntimeClassPlugin } from './runtime-class.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { createNamespaceLifecycle } from './namespace-lifecycle.ts'
import { createNodeRestriction } from './node-restriction.ts'
import { createPodSecurity } from './pod-security/pod-security.ts'
import { createPriorityPlugin } from './priority.ts'
import { createRbacEscalationCheck } from './rbac-escalation.ts'
import { createServiceAccountPlugin } from './service-account.ts'
import { createServiceAllocation, type ServicePools } from './service-allocation.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'

export type AdmissionOptions = {
  readonly cluster: ClusterReader
  readonly random: RandomSource
  readonly authorizer: Authorizer
  readonly pools: ServicePools
  readonly clock: Clock
  readonly writeQuota: QuotaWriter
}

export function createAdmission(options: AdmissionOptions): AdmissionChain {
  const { cluster, random, authorizer, pools, clock, writeQuota } = options
  return new AdmissionChain([
    createNamespaceLifecycle(cluster),
    createLimitRanger(cluster),
    createServiceAccountPlugin(cluster, random),
    createNodeRestriction(cluster),
    taintNodesByCondition,
    createPodSecurity(cluster),
    createPriorityPlugin(cluster),
    defaultTolerationSeconds,
    createDefaultStorageClass(cluster),
    storageObjectInUseProtection,
    createPersistentVolumeClaimResize(cluster),
    createRuntimeClassPlugin(cluster),
    createCertificateApproval(authorizer),
    createCertificateSigning(authorizer),
    certificateSubjectRestriction,
    createDefaultIngressClass(cluster),
    createPodTopologyLabels(cluster),
    createPodResizeValidator(cluster),
    createRbacEscalationCheck(cluster, authorizer),
    createDeviceAdminAccess(cluster),
    createServiceAllocation(pools),
    createResourceQuota(cluster, clock, writeQuota),
  ])
}
