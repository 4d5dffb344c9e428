/** A range that addresses of Services come from. */
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { serviceCidrStrategy } from './strategy.ts'

/** The server makes it itself, of the range that it allocates from. */
const SERVICE_RANGE = 'kubernetes'
const NOT_ALLOCATED_FROM = 'this server stores further ServiceCIDRs and does not allocate addresses from them yet'

export const serviceCidrKind = defineKind<ServiceCIDR>('networking.k8s.io/v1/servicecidrs', {
  strategy: serviceCidrStrategy,
  inert: {
    warning: ({ metadata }) => (metadata.name === SERVICE_RANGE ? null : NOT_ALLOCATED_FROM),
  },
  row: (object, nowMs) => [
    object.metadata.name,
    (object.spec.cidrs ?? []).join(','),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
