/** A container runtime that pods can ask for. */
import type { RuntimeClass } from '#api/node/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { runtimeClassStrategy } from './strategy.ts'

export const runtimeClassKind = defineKind<RuntimeClass>('node.k8s.io/v1/runtimeclasses', {
  strategy: runtimeClassStrategy,
  allowPlainFinalizers: true,
  row: (object, nowMs) => [
    object.metadata.name,
    object.handler ?? '',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
