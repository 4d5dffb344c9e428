/** Keeps a number of equal pods. */
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatAge, formatLabelSelector, labelSelectorText } from '#api/table-cells.ts'
import { replicaSetStrategy } from './strategy.ts'

export const replicaSetKind = defineKind<ReplicaSet>('apps/v1/replicasets', {
  strategy: replicaSetStrategy,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template?.spec?.containers),
    formatLabelSelector(spec.selector),
  ],
  scale: {
    replicas: (replicaSet) => replicaSet.spec.replicas ?? 0,
    setReplicas: (replicaSet, replicas) => {
      replicaSet.spec.replicas = replicas
    },
    statusReplicas: (replicaSet) => replicaSet.status?.replicas ?? 0,
    selector: (replicaSet) => labelSelectorText(replicaSet.spec.selector),
  },
})
