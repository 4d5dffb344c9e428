/** Holds back pods with resource claims: nothing allocates devices to claims yet, and no node would be the right one. */
import type { Pod } from '#api/core/v1.gen.ts'
import { unresolvable, type CycleState, type Plugin, type PreFilterResult } from '../framework.ts'

export const dynamicResources: Plugin = {
  name: 'DynamicResources',
  preFilter(_state: CycleState, pod: Pod): PreFilterResult | null {
    if ((pod.spec.resourceClaims ?? []).length === 0) return { skipFilter: true }
    return { rejection: unresolvable('resource claims are not supported: no devices are allocated to them') }
  },
}
