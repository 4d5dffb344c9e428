/** The CSI drivers of a node. */
import type { CSINode } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { csiNodeStrategy } from './strategy.ts'

export const csiNodeKind = defineKind<CSINode>('storage.k8s.io/v1/csinodes', {
  answersDeleted: true,
  strategy: csiNodeStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    (object.spec.drivers ?? []).length,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
