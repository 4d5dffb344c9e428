/** The list of all kinds that the API server serves; routes, discovery, OpenAPI, tables and storage derive from it. */
import assert from 'node:assert'
import { formatApiVersion, type GroupVersionKind, type KindDefinition } from './kind.ts'
// Whoever knows the kinds can read their objects.
import './schemas.ts'
import { bindingKind } from './core/binding/kind.ts'
import { componentStatusKind } from './core/component-status/kind.ts'
import { configMapKind } from './core/config-map/kind.ts'
import { endpointsKind } from './core/endpoints/kind.ts'
import { eventKind } from './core/event/kind.ts'
import { limitRangeKind } from './core/limit-range/kind.ts'
import { namespaceKind } from './core/namespace/kind.ts'
import { nodeKind } from './core/node/kind.ts'
import { persistentVolumeClaimKind } from './core/persistent-volume-claim/kind.ts'
import { persistentVolumeKind } from './core/persistent-volume/kind.ts'
import { podKind } from './core/pod/kind.ts'
import { podTemplateKind } from './core/pod-template/kind.ts'
import { replicationControllerKind } from './core/replication-controller/kind.ts'
import { resourceQuotaKind } from './core/resource-quota/kind.ts'
import { secretKind } from './core/secret/kind.ts'
import { serviceAccountKind } from './core/service-account/kind.ts'
import { serviceKind } from './core/service/kind.ts'
import { mutatingAdmissionPolicyKind } from './admissionregistration/mutating-admission-policy/kind.ts'
import { mutatingAdmissionPolicyBindingKind } from './admissionregistration/mutating-admission-policy-binding/kind.ts'
import { mutatingWebhookConfigurationKind } from './admissionregistration/mutating-webhook-configuration/kind.ts'
import { validatingAdmissionPolicyKind } from './admissionregistration/validating-admission-policy/kind.ts'
import { validatingAdmissionPolicyBindingKind } from './admissionregistration/validating-admission-policy-binding/kind.ts'
import { validatingWebhookConfigurationKind } from './admissionregistration/validating-webhook-configuration/kind.ts'
import { customResourceDefinitionKind } from './apiextensions/custom-resource-definition/kind.ts'
import { apiServiceKind } from './apiregistration/api-service/kind.ts'
import { controllerRevisionKind } from './apps/controller-revision/kind.ts'
import { daemonSetKind } from './apps/daemon-set/kind.ts'
import { deploymentKind } from './apps/deployment/kind.ts'
import { replicaSetKind } from './apps/replica-set/kind.ts'
import { statefulSetKind } from './apps/stateful-set/kind.ts'
import { selfSubjectReviewKind } from './authentication/self-subject-review/kind.ts'
import { tokenReviewKind } from './authentication/token-review/kind.ts'
import { localSubjectAccessReviewKind } from './authorization/local-subject-access-review/kind.ts'
import { selfSubjectAccessReviewKind } from './authorization/self-subject-access-review/kind.ts'
import { selfSubjectRulesReviewKind } from './authorization/self-subject-rules-review/kind.ts'
import { subjectAccessReviewKind } from './authorization/subject-access-review/kind.ts'
import { OFF_BY_DEFAULT_KINDS } from './off-by-default.ts'
import { horizontalPodAutoscalerV1Kind } from './autoscaling/horizontal-pod-autoscaler/kind-v1.ts'
import { horizontalPodAutoscalerKind } from './autoscaling/horizontal-pod-autoscaler/kind.ts'
import { cronJobKind } from './batch/cron-job/kind.ts'
import { jobKind } from './batch/job/kind.ts'
import { certificateSigningRequestKind } from './certificates/certificate-signing-request/kind.ts'
import { clusterTrustBundleKind } from './certificates/cluster-trust-bundle/kind.ts'
import { podCertificateRequestKind } from './certificates/pod-certificate-request/kind-v1.ts'
import { leaseKind } from './coordination/lease/kind.ts'
import { endpointSliceKind } from './discovery/endpoint-slice/kind.ts'
import { eventsEventKind } from './events/event/kind.ts'
import { flowSchemaKind } from './flowcontrol/flow-schema/kind.ts'
import { priorityLevelConfigurationKind } from './flowcontrol/priority-level-configuration/kind.ts'
import { ingressClassKind } from './networking/ingress-class/kind.ts'
import { ingressKind } from './networking/ingress/kind.ts'
import { ipAddressKind } from './networking/ip-address/kind.ts'
import { networkPolicyKind } from './networking/network-policy/kind.ts'
import { serviceCidrKind } from './networking/service-cidr/kind.ts'
import { runtimeClassKind } from './node/runtime-class/kind.ts'
import { podDisruptionBudgetKind } from './policy/pod-disruption-budget/kind.ts'
import { clusterRoleBindingKind } from './rbac/cluster-role-binding/kind.ts'
import { clusterRoleKind } from './rbac/cluster-role/kind.ts'
import { roleBindingKind } from './rbac/role-binding/kind.ts'
import { roleKind } from './rbac/role/kind.ts'
import { deviceClassKind } from './resource/device-class/kind.ts'
import { deviceTaintRuleKind } from './resource/device-taint-rule/kind.ts'
import { resourceClaimKind } from './resource/resource-claim/kind.ts'
import { resourceClaimTemplateKind } from './resource/resource-claim-template/kind.ts'
import { resourceSliceKind } from './resource/resource-slice/kind.ts'
import { priorityClassKind } from './scheduling/priority-class/kind.ts'
import { csiDriverKind } from './storage/csi-driver/kind.ts'
import { csiNodeKind } from './storage/csi-node/kind.ts'
import { csiStorageCapacityKind } from './storage/csi-storage-capacity/kind.ts'
import { storageClassKind } from './storage/storage-class/kind.ts'
import { volumeAttachmentKind } from './storage/volume-attachment/kind.ts'
import { volumeAttributesClassKind } from './storage/volume-attributes-class/kind.ts'
import { storageVersionMigrationKind } from './storagemigration/storage-version-migration/kind.ts'

/** In the order of discovery: the core group first, the others by name. */
export const KINDS: readonly KindDefinition[] = [
  bindingKind,
  componentStatusKind,
  configMapKind,
  endpointsKind,
  eventKind,
  limitRangeKind,
  namespaceKind,
  nodeKind,
  persistentVolumeClaimKind,
  persistentVolumeKind,
  podKind,
  podTemplateKind,
  replicationControllerKind,
  resourceQuotaKind,
  secretKind,
  serviceAccountKind,
  serviceKind,
  mutatingAdmissionPolicyKind,
  mutatingAdmissionPolicyBindingKind,
  mutatingWebhookConfigurationKind,
  validatingAdmissionPolicyKind,
  validatingAdmissionPolicyBindingKind,
  validatingWebhookConfigurationKind,
  customResourceDefinitionKind,
  apiServiceKind,
  controllerRevisionKind,
  daemonSetKind,
  deploymentKind,
  replicaSetKind,
  statefulSetKind,
  selfSubjectReviewKind,
  tokenReviewKind,
  localSubjectAccessReviewKind,
  selfSubjectAccessReviewKind,
  selfSubjectRulesReviewKind,
  subjectAccessReviewKind,
  horizontalPodAutoscalerKind,
  horizontalPodAutoscalerV1Kind,
  cronJobKind,
  jobKind,
  certificateSigningRequestKind,
  clusterTrustBundleKind,
  podCertificateRequestKind,
  leaseKind,
  endpointSliceKind,
  eventsEventKind,
  flowSchemaKind,
  priorityLevelConfigurationKind,
  ingressClassKind,
  ingressKind,
  ipAddressKind,
  networkPolicyKind,
  serviceCidrKind,
  runtimeClassKind,
  podDisruptionBudgetKind,
  clusterRoleBindingKind,
  clusterRoleKind,
  roleBindingKind,
  roleKind,
  deviceClassKind,
  deviceTaintRuleKind,
  resourceClaimKind,
  resourceClaimTemplateKind,
  resourceSliceKind,
  priorityClassKind,
  csiDriverKind,
  csiNodeKind,
  csiStorageCapacityKind,
  storageClassKind,
  volumeAttachmentKind,
  volumeAttributesClassKind,
  storageVersionMigrationKind,
]

/** Also those that are served only where `--runtime-config` asks for them. */
export const ALL_KINDS: readonly KindDefinition[] = [...KINDS, ...OFF_BY_DEFAULT_KINDS]

const byResource = new Map<string, KindDefinition>()
for (const kind of ALL_KINDS) {
  const id = `${kind.group}/${kind.version}/${kind.resource}`
  assert(!byResource.has(id), `Two kinds named ${id}`)
  byResource.set(id, kind)
}

/** The kind under a URL's group, version and resource, or undefined. */
export function kindOf(group: string, version: string, resource: string): KindDefinition | undefined {
  return byResource.get(`${group}/${version}/${resource}`)
}

/** A kind by the apiVersion of each of its versions, served or not. */
export type KindVersions = ReadonlyMap<string, KindDefinition>

const versionsByStored = Map.groupBy(ALL_KINDS, ({ conversion, ...kind }) => nameOfKind(conversion?.storedAs ?? kind))

/** All versions of a kind that can be converted into each other; only the kind itself for one that is not built in. */
export function versionsOf(kind: KindDefinition): KindVersions {
  const versions = versionsByStored.get(nameOfKind(kind.conversion?.storedAs ?? kind)) ?? [kind]
  return new Map(versions.map((version) => [formatApiVersion(version), version]))
}

function nameOfKind({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}/${kind}`
}
