/** A scope of names; goes away only when its content is gone. */
import type { Namespace } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { namespaceStrategy } from './strategy.ts'

export const namespaceKind = defineKind<Namespace>('v1/namespaces', {
  isNamespace: true,
  nameRule: 'label',
  strategy: namespaceStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.status?.phase ?? '',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
  selectableFields: { 'status.phase': (object) => object.status?.phase ?? '' },
})
