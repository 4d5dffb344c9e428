/** Which traffic may reach and leave pods. */
import type { NetworkPolicy } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { formatAge, formatLabelSelector } from '#api/table-cells.ts'

const strategy: Strategy<NetworkPolicy> = {
  prepareForCreate(object) {
    object.metadata.generation = 1
  },
  prepareForUpdate(object, old) {
    if (!isSemanticallyEqual(object.spec, old.spec)) bumpGeneration(object, old)
  },
}

export const networkPolicyKind = defineKind<NetworkPolicy>('networking.k8s.io/v1/networkpolicies', {
  strategy,
  row: (object, nowMs) => [
    object.metadata.name,
    formatLabelSelector(object.spec.podSelector),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
