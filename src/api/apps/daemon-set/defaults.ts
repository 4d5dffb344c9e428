/** Fills the defaults of DaemonSets. */
import type { DaemonSet, DaemonSetSpec } from '#api/apps/v1.gen.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'

export function setDaemonSetDefaults(daemonSet: DaemonSet): void {
  const spec = (daemonSet.spec ??= {} as DaemonSetSpec)
  const strategy = (spec.updateStrategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {}
    strategy.rollingUpdate.maxUnavailable ??= 1
    strategy.rollingUpdate.maxSurge ??= 0
  }
  // Under another type the numbers are kept, and stand for nothing.
  if (strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.maxUnavailable ??= 0
    strategy.rollingUpdate.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= 10
  setPodTemplateDefaults((spec.template ??= {}))
}
