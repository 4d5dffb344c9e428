/** Named Go types that the recorded facts leave out: those of list items and map keys, which type errors mention. */

const CORE = 'io.k8s.api.core.v1'
const RESOURCE = 'io.k8s.api.resource.v1'

/** Type and field -> the full name of the type of the list's items. */
export const GO_ITEM_TYPES: Readonly<Record<string, string>> = {
  'io.k8s.api.admissionregistration.v1.RuleWithOperations.operations':
    'io.k8s.api.admissionregistration.v1.OperationType',
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions':
    'io.k8s.api.admissionregistration.v1.ValidationAction',
  'io.k8s.api.batch.v1.UncountedTerminatedPods.failed': 'io.k8s.apimachinery.pkg.types.UID',
  'io.k8s.api.batch.v1.UncountedTerminatedPods.succeeded': 'io.k8s.apimachinery.pkg.types.UID',
  'io.k8s.api.certificates.v1.CertificateSigningRequestSpec.usages': 'io.k8s.api.certificates.v1.KeyUsage',
  [`${CORE}.Capabilities.add`]: `${CORE}.Capability`,
  [`${CORE}.Capabilities.drop`]: `${CORE}.Capability`,
  [`${CORE}.NamespaceSpec.finalizers`]: `${CORE}.FinalizerName`,
  [`${CORE}.NodeStatus.volumesInUse`]: `${CORE}.UniqueVolumeName`,
  [`${CORE}.PersistentVolumeClaimSpec.accessModes`]: `${CORE}.PersistentVolumeAccessMode`,
  [`${CORE}.PersistentVolumeClaimStatus.accessModes`]: `${CORE}.PersistentVolumeAccessMode`,
  [`${CORE}.PersistentVolumeSpec.accessModes`]: `${CORE}.PersistentVolumeAccessMode`,
  [`${CORE}.ResourceQuotaSpec.scopes`]: `${CORE}.ResourceQuotaScope`,
  [`${CORE}.ServiceSpec.ipFamilies`]: `${CORE}.IPFamily`,
  'io.k8s.api.networking.v1.NetworkPolicySpec.policyTypes': 'io.k8s.api.networking.v1.PolicyType',
  [`${RESOURCE}.DeviceRequestAllocationResult.skipNodeOperations`]: `${RESOURCE}.SkipNodeOperation`,
  [`${RESOURCE}.ResourceSliceSpec.skipNodeOperations`]: `${RESOURCE}.SkipNodeOperation`,
  'io.k8s.api.storage.v1.CSIDriverSpec.volumeLifecycleModes': 'io.k8s.api.storage.v1.VolumeLifecycleMode',
}

/** Type and field -> how Go prints the type of the map. */
export const GO_MAP_TYPES: Readonly<Record<string, string>> = {
  [`${CORE}.PersistentVolumeClaimStatus.allocatedResourceStatuses`]: 'map[v1.ResourceName]v1.ClaimResourceStatus',
  [`${RESOURCE}.CapacityRequirements.requests`]: 'map[v1.QualifiedName]resource.Quantity',
  [`${RESOURCE}.Device.attributes`]: 'map[v1.QualifiedName]v1.DeviceAttribute',
  [`${RESOURCE}.Device.capacity`]: 'map[v1.QualifiedName]v1.DeviceCapacity',
  [`${RESOURCE}.Device.nodeAllocatableResources`]: 'map[v1.ResourceName]v1.NodeAllocatableResource',
  [`${RESOURCE}.DeviceRequestAllocationResult.consumedCapacity`]: 'map[v1.QualifiedName]resource.Quantity',
}
