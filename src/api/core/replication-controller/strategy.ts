/** How writes of ReplicationControllers are prepared and checked. */
import type { ReplicationController, ReplicationControllerSpec } from '#api/core/v1.gen.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { validateReplicationController, validateReplicationControllerStatus } from './validation.ts'

export const replicationControllerStrategy = workloadStrategy<ReplicationController>({
  template: ({ spec }) => spec.template,
  templatePath: 'spec.template',
  namesPods: true,
  orphansDependents: true,
  setDefaults: setReplicationControllerDefaults,
  validateSpec: validateReplicationController,
  validateStatus: validateReplicationControllerStatus,
})

function setReplicationControllerDefaults(controller: ReplicationController): void {
  const spec = (controller.spec ??= {} as ReplicationControllerSpec)
  spec.replicas ??= 1
  const labels = spec.template?.metadata?.labels
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels }
  }
  if (spec.template) setPodTemplateDefaults(spec.template)
}
