/** The CSI drivers of a node. */
import type { CSINode } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'

export const csiNodeKind = defineKind<CSINode>('storage.k8s.io/v1/csinodes', {
  strategy: {
    ...specStatusStrategy<CSINode>({ generation: false, resetsMetaForStatus: true }),
    requireResourceVersion: true,
  },
  row: (object, nowMs) => [
    object.metadata.name,
    (object.spec.drivers ?? []).length,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
