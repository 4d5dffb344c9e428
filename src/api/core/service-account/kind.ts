/** An identity of pods. */
import type { ServiceAccount } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'

export const serviceAccountKind = defineKind<ServiceAccount>('v1/serviceaccounts', {
  row: (object, nowMs) => [object.metadata.name, formatAge(object.metadata.creationTimestamp, nowMs)],
})
