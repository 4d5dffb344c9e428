/** Keeps a changing template rolled out over ReplicaSets. */
import type { Deployment } from '#api/apps/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatAge, labelSelectorText } from '#api/table-cells.ts'
import { deploymentStrategy } from './strategy.ts'

export const deploymentKind = defineKind<Deployment>('apps/v1/deployments', {
  strategy: deploymentStrategy,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template.spec?.containers),
    labelSelectorText(spec.selector),
  ],
  scale: {
    replicas: (deployment) => deployment.spec.replicas ?? 0,
    setReplicas: (deployment, replicas) => {
      deployment.spec.replicas = replicas
    },
    statusReplicas: (deployment) => deployment.status?.replicas ?? 0,
    selector: (deployment) => labelSelectorText(deployment.spec.selector),
  },
})
