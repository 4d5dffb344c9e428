/** Paths that a write of an object or a subresource may not touch, so that nobody comes to own them by such a write. */
import { FieldSet } from '#machinery/field-ownership/field-set.ts'

type KindName = { readonly group: string; readonly kind: string; readonly hasStatus: boolean }

/** Statuses whose writes leave all metadata alone. */
const STATUS_WITHOUT_METADATA: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'certificates.k8s.io/PodCertificateRequest',
  'internal.apiserver.k8s.io/StorageVersion',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'networking.k8s.io/ServiceCIDR',
  'resource.k8s.io/DeviceTaintRule',
  'resource.k8s.io/ResourceClaim',
  'resource.k8s.io/ResourcePoolStatusRequest',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/VolumeAttachment',
  'storagemigration.k8s.io/StorageVersionMigration',
  'scheduling.k8s.io/PodGroup',
])

/** Kinds and subresources with rules of their own: `/Pod/status`, `certificates.k8s.io/CertificateSigningRequest/`. */
const SPECIAL: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment/status': ['spec', 'metadata.labels'],
  '/Pod/status': ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
  '/Namespace/finalize': ['status'],
  'certificates.k8s.io/CertificateSigningRequest/': ['spec', 'status'],
  'certificates.k8s.io/CertificateSigningRequest/status': ['spec', 'status.conditions'],
  'certificates.k8s.io/CertificateSigningRequest/approval': ['spec', 'status.certificate'],
}

const cache = new Map<string, FieldSet | undefined>()

/** The same set for each call; undefined when the write may touch everything. */
export function resetFieldsOf(kind: KindName, subresource: string): FieldSet | undefined {
  const id = `${kind.group}/${kind.kind}/${subresource}`
  if (!cache.has(id)) {
    const paths = SPECIAL[id] ?? ordinaryPaths(kind, subresource)
    const set = FieldSet.of(...paths.map((path) => path.split('.').map((name) => `f:${name}`)))
    cache.set(id, set.isEmpty ? undefined : set)
  }
  return cache.get(id)
}

function ordinaryPaths({ group, kind, hasStatus }: KindName, subresource: string): readonly string[] {
  if (!hasStatus) return []
  if (subresource === '') return ['status']
  if (subresource !== 'status') return []
  return STATUS_WITHOUT_METADATA.has(`${group}/${kind}`) ? ['metadata', 'spec'] : ['spec']
}
