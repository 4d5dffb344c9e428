/** How many pods of a set may be evicted at once. */
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { podDisruptionBudgetStrategy } from './strategy.ts'

const formatCount = (count: number | string | undefined): string => (count === undefined ? 'N/A' : String(count))

export const podDisruptionBudgetKind = defineKind<PodDisruptionBudget>('policy/v1/poddisruptionbudgets', {
  strategy: podDisruptionBudgetStrategy,
  allowPlainFinalizers: true,
  row: (object, nowMs) => [
    object.metadata.name,
    formatCount(object.spec.minAvailable),
    formatCount(object.spec.maxUnavailable),
    object.status?.disruptionsAllowed ?? 0,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
