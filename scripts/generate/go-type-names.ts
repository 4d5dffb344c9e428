/** Named Go types that the recorded facts leave out: those of list items and map keys, which type errors mention. */

const CORE = 'io.k8s.api.core.v1'
/** The versions of devices and claims, which have the same types. */
const RESOURCES = ['v1', 'v1beta1', 'v1beta2'].map((version) => `io.k8s.api.resource.${version}`)

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
  ...Object.fromEntries(
    RESOURCES.flatMap((resource) => [
      [`${resource}.DeviceRequestAllocationResult.skipNodeOperations`, `${resource}.SkipNodeOperation`],
      [`${resource}.ResourceSliceSpec.skipNodeOperations`, `${resource}.SkipNodeOperation`],
    ]),
  ),
  'io.k8s.api.storage.v1.CSIDriverSpec.volumeLifecycleModes': 'io.k8s.api.storage.v1.VolumeLifecycleMode',
}

/** Type and field -> how Go prints the type of the map. */
export const GO_MAP_TYPES: Readonly<Record<string, string>> = {
  [`${CORE}.PersistentVolumeClaimStatus.allocatedResourceStatuses`]: 'map[v1.ResourceName]v1.ClaimResourceStatus',
  ...Object.fromEntries(RESOURCES.flatMap(resourceMaps)),
}

function resourceMaps(resource: string): [string, string][] {
  const version = resource.slice(resource.lastIndexOf('.') + 1)
  const device = version === 'v1beta1' ? 'BasicDevice' : 'Device'
  const quantities = `map[${version}.QualifiedName]resource.Quantity`
  return [
    [`${resource}.CapacityRequirements.requests`, quantities],
    [`${resource}.${device}.attributes`, `map[${version}.QualifiedName]${version}.DeviceAttribute`],
    [`${resource}.${device}.capacity`, `map[${version}.QualifiedName]${version}.DeviceCapacity`],
    [`${resource}.${device}.nodeAllocatableResources`, `map[v1.ResourceName]${version}.NodeAllocatableResource`],
    [`${resource}.DeviceRequestAllocationResult.consumedCapacity`, quantities],
  ]
}
