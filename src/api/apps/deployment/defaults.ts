/** Fills the defaults of Deployments. */
import type { Deployment, DeploymentSpec } from '#api/apps/v1.gen.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'

export function setDeploymentDefaults(deployment: Deployment): void {
  const spec = (deployment.spec ??= {} as DeploymentSpec)
  spec.replicas ??= 1
  const strategy = (spec.strategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {}
    strategy.rollingUpdate.maxUnavailable ??= '25%'
    strategy.rollingUpdate.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  setPodTemplateDefaults((spec.template ??= {}))
}
