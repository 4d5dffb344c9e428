/** Private configuration of pods. */
import type { Secret } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { secretStrategy } from './strategy.ts'

export const secretKind = defineKind<Secret>('v1/secrets', {
  strategy: secretStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.type ?? '',
    Object.keys(object.data ?? {}).length,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
  selectableFields: { type: (object) => object.type ?? '' },
})
