/** How much a pod matters to the scheduler, set at its creation from its PriorityClass. */
import type { Pod } from '#api/core/v1.gen.ts'

export const priorityOf = (pod: Pod): number => pod.spec.priority ?? 0
