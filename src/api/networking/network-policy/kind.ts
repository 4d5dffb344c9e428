/** Which traffic may reach and leave pods. */
import type { NetworkPolicy } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge, formatLabelSelector } from '#api/table-cells.ts'
import { networkPolicyStrategy } from './strategy.ts'

export const networkPolicyKind = defineKind<NetworkPolicy>('networking.k8s.io/v1/networkpolicies', {
  strategy: networkPolicyStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    formatLabelSelector(object.spec.podSelector),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
