/** How writes of Deployments are prepared and checked. */
import type { Deployment } from '#api/apps/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { setDeploymentDefaults } from './defaults.ts'
import { dropTerminatingReplicas } from '../terminating-replicas.ts'
import { validateDeployment, validateDeploymentStatus } from './validation.ts'

export const deploymentStrategy = workloadStrategy<Deployment>({
  template: ({ spec }) => spec.template,
  templatePath: 'spec.template',
  namesPods: true,
  setDefaults: setDeploymentDefaults,
  // Annotations count as well: rollouts are recorded in them.
  hasChanged: (deployment, old) =>
    !isSemanticallyEqual(deployment.spec, old.spec) ||
    !isSemanticallyEqual(deployment.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  validateSpec: validateDeployment,
  validateStatus: validateDeploymentStatus,
  prepareStatus(deployment, old, features) {
    dropTerminatingReplicas(deployment.status, old.status, features)
    if (old.metadata.labels === undefined) delete deployment.metadata.labels
    else deployment.metadata.labels = old.metadata.labels
  },
})
