/** Keeps pods with stable names and volumes. */
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatAge, labelSelectorText } from '#api/table-cells.ts'
import { statefulSetStrategy } from './strategy.ts'

export const statefulSetKind = defineKind<StatefulSet>('apps/v1/statefulsets', {
  nameRule: 'label',
  strategy: statefulSetStrategy,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template.spec?.containers),
  ],
  scale: {
    replicas: (statefulSet) => statefulSet.spec.replicas ?? 0,
    setReplicas: (statefulSet, replicas) => {
      statefulSet.spec.replicas = replicas
    },
    statusReplicas: (statefulSet) => statefulSet.status?.replicas ?? 0,
    selector: (statefulSet) => labelSelectorText(statefulSet.spec.selector),
  },
})
