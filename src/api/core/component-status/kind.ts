/** Health of the control plane as old clients ask for it; computed, never stored. */
import type { ComponentStatus } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'

function componentStatusCells(object: ComponentStatus): unknown[] {
  const healthy = object.conditions?.find((condition) => condition.type === 'Healthy')
  if (healthy === undefined) return [object.metadata.name, 'Unknown', '', '']
  const status = healthy.status === 'True' ? 'Healthy' : 'Unhealthy'
  return [object.metadata.name, status, healthy.message ?? '', healthy.error ?? '']
}

export const componentStatusKind = defineKind<ComponentStatus>('v1/componentstatuses', {
  stored: false,
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  row: (object) => componentStatusCells(object),
})
