/** A range that addresses of Services come from. */
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { serviceCidrStrategy } from './strategy.ts'

export const serviceCidrKind = defineKind<ServiceCIDR>('networking.k8s.io/v1/servicecidrs', {
  strategy: serviceCidrStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    (object.spec.cidrs ?? []).join(','),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
