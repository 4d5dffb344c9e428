/** Configuration that pods read as files or environment. */
import type { ConfigMap } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { configMapStrategy } from './strategy.ts'

export const configMapKind = defineKind<ConfigMap>('v1/configmaps', {
  strategy: configMapStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
