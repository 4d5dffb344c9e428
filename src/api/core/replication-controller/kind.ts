/** Keeps a number of equal pods; the older form of a ReplicaSet. */
import type { ReplicationController } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatAge, formatLabels, joinLabels } from '#api/table-cells.ts'
import { isLongName } from '#machinery/validation/names.ts'
import { replicationControllerStrategy } from './strategy.ts'

export const replicationControllerKind = defineKind<ReplicationController>('v1/replicationcontrollers', {
  storagePrefix: 'controllers',
  // Upstream checks the prefix of this kind only as a part of the name.
  nameRule: (name, isPrefix) => (isPrefix ? [] : isLongName(name)),
  strategy: replicationControllerStrategy,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template?.spec?.containers),
    formatLabels(spec.selector),
  ],
  selectableFields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  scale: {
    replicas: (controller) => controller.spec.replicas ?? 0,
    setReplicas: (controller, replicas) => {
      controller.spec.replicas = replicas
    },
    statusReplicas: (controller) => controller.status?.replicas ?? 0,
    selector: (controller) => joinLabels(controller.spec.selector),
  },
})
