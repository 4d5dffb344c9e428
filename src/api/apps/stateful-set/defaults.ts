/** Fills the defaults of StatefulSets. */
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import type { StatefulSet, StatefulSetSpec } from '#api/apps/v1.gen.ts'
import { setClaimSpecDefaults } from '#api/core/pod-spec/claim-template-defaults.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'

export function setStatefulSetDefaults(statefulSet: StatefulSet, features = DEFAULT_FEATURE_GATES): void {
  const spec = (statefulSet.spec ??= {} as StatefulSetSpec)
  spec.podManagementPolicy ||= 'OrderedReady'
  const strategy = (spec.updateStrategy ??= {})
  if (!strategy.type) {
    strategy.type = 'RollingUpdate'
    strategy.rollingUpdate ??= {}
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0
    if (features.isEnabled('MaxUnavailableStatefulSet')) strategy.rollingUpdate.maxUnavailable ??= 1
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
  retention.whenDeleted ||= 'Retain'
  retention.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  setPodTemplateDefaults((spec.template ??= {}))
  for (const claim of spec.volumeClaimTemplates ?? []) {
    // Claims in a template say what they are, as if they stood alone.
    claim.apiVersion ||= 'v1'
    claim.kind ||= 'PersistentVolumeClaim'
    setClaimSpecDefaults((claim.spec ??= {}))
    const status = (claim.status ??= {})
    status.phase ||= 'Pending'
  }
}
