/** How writes of StatefulSets are prepared and checked. */
import type { FeatureGates } from '#base/feature-gates.ts'
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import { fractionWarning } from '#api/core/pod-spec/fraction-warnings.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { setStatefulSetDefaults } from './defaults.ts'
import { validateStatefulSet, validateStatefulSetStatus } from './validation.ts'

export const statefulSetStrategy = workloadStrategy<StatefulSet>({
  template: ({ spec }) => spec.template,
  templatePath: 'spec.template',
  namesPods: false,
  setDefaults: setStatefulSetDefaults,
  prepareForCreate: (set, features) => dropMaxUnavailable(set, undefined, features),
  prepareForUpdate: dropMaxUnavailable,
  validateSpec: validateStatefulSet,
  validateStatus: validateStatefulSetStatus,
  warnings: statefulSetWarnings,
})

function dropMaxUnavailable({ spec }: StatefulSet, old: StatefulSet | undefined, features: FeatureGates): void {
  const wasUsed = old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined
  if (!features.isEnabled('MaxUnavailableStatefulSet') && !wasUsed)
    delete spec.updateStrategy?.rollingUpdate?.maxUnavailable
}

function statefulSetWarnings({ spec }: StatefulSet, old: StatefulSet | null): string[] {
  // On update upstream's path has one more part.
  const inside = old === null ? '' : '.Spec'
  const claims = (spec.volumeClaimTemplates ?? []).flatMap(({ spec: claim }, i) =>
    (['requests', 'limits'] as const).flatMap((part) =>
      fractionWarning(
        claim?.resources?.[part]?.['storage'],
        `spec.volumeClaimTemplates[${i}]${inside}.resources.${part}[storage]`,
      ),
    ),
  )
  const text =
    'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'
  return (spec.revisionHistoryLimit ?? 0) < 0 ? [...claims, text] : claims
}
