/** A named priority of pods. */
import type { PriorityClass } from '#api/scheduling/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { priorityClassStrategy } from './strategy.ts'

export const priorityClassKind = defineKind<PriorityClass>('scheduling.k8s.io/v1/priorityclasses', {
  strategy: priorityClassStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.value ?? 0,
    object.globalDefault ?? false,
    formatAge(object.metadata.creationTimestamp, nowMs),
    object.preemptionPolicy ?? '',
  ],
})
