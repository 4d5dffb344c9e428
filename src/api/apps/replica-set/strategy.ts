/** How writes of ReplicaSets are prepared and checked. */
import type { ReplicaSet, ReplicaSetSpec } from '#api/apps/v1.gen.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { dropTerminatingReplicas } from '../terminating-replicas.ts'
import { validateReplicaSet, validateReplicaSetStatus } from './validation.ts'

export const replicaSetStrategy = workloadStrategy<ReplicaSet>({
  template: ({ spec }) => spec.template,
  templatePath: 'spec.template',
  namesPods: true,
  setDefaults(replicaSet) {
    const spec = (replicaSet.spec ??= {} as ReplicaSetSpec)
    spec.replicas ??= 1
    setPodTemplateDefaults((spec.template ??= {}))
  },
  prepareStatus: (replicaSet, old, features) => dropTerminatingReplicas(replicaSet.status, old.status, features),
  validateSpec: validateReplicaSet,
  validateStatus: validateReplicaSetStatus,
})
