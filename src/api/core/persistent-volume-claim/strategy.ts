/** How PersistentVolumeClaims are completed and prepared. */
import type { FeatureGates } from '#base/feature-gates.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, TypedLocalObjectReference } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { parseQuantity } from '#machinery/quantity.ts'
import { setClaimSpecDefaults } from '../pod-spec/claim-template-defaults.ts'
import { roundAmounts } from '../pod-spec/resource-defaults.ts'
import { alignDataSources } from './data-sources.ts'
import { validateClaim, validateClaimStatus, validateClaimUpdate } from './validation.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const NANO = 1_000_000_000n

export const persistentVolumeClaimStrategy: Strategy<PersistentVolumeClaim> = {
  setDefaults(claim) {
    setClaimSpecDefaults((claim.spec ??= {}))
    const status = (claim.status ??= {})
    status.phase ||= 'Pending'
    roundAmounts(status.capacity)
    roundAmounts(status.allocatedResources)
  },
  prepareForCreate(claim, { features }) {
    claim.status = { phase: 'Pending' }
    prepareSpec(claim.spec, undefined, features)
  },
  prepareForUpdate(claim, old, { subresource, features }) {
    if (subresource === 'status') {
      keepSpec(claim, old)
      if (!features.isEnabled('CSIVolumeHealth') && old.status?.healthStatus === undefined)
        delete claim.status?.healthStatus
      return
    }
    keepStatus(claim, old)
    prepareSpec(claim.spec, old.spec, features)
  },
  validate: (claim) => validateClaim(claim, null),
  validateUpdate: (claim, old, { subresource }) =>
    subresource === 'status' ? validateClaimStatus(claim) : validateClaimUpdate(claim, old),
  warnings,
}

function prepareSpec(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
  features: FeatureGates,
): void {
  const isCrossing = spec.dataSourceRef?.namespace !== undefined && spec.dataSourceRef.namespace !== ''
  if (isCrossing && !features.isEnabled('CrossNamespaceVolumeDataSource') && old?.dataSourceRef === undefined)
    delete spec.dataSourceRef
  const wasUsed = old?.dataSource !== undefined || old?.dataSourceRef !== undefined
  // Before the newer field came, other sources were dropped without a word.
  if (!wasUsed && spec.dataSourceRef === undefined && !isOldSource(spec.dataSource)) delete spec.dataSource
  alignDataSources(spec)
}

function isOldSource(source: TypedLocalObjectReference | undefined): boolean {
  const { kind = '', apiGroup } = source ?? {}
  return (
    (kind === 'PersistentVolumeClaim' && !apiGroup) ||
    (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io')
  )
}

function warnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const found: string[] = []
  if (metadata.annotations?.[CLASS_ANNOTATION] !== undefined)
    found.push(
      `metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`,
    )
  for (const list of ['requests', 'limits'] as const) {
    const amount = spec.resources?.[list]?.['storage']
    if (amount !== undefined && parseQuantity(amount).nano % NANO !== 0n)
      found.push(
        `spec.resources.${list}[storage]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`,
      )
  }
  return found
}
