/** How NetworkPolicies are completed, prepared and checked. */
import { isDeepStrictEqual } from 'node:util'
import { cidrWarnings } from '#api/cidr.ts'
import type { Strategy } from '#api/kind.ts'
import type { NetworkPolicy, NetworkPolicyPeer } from '#api/networking/v1.gen.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { validateNetworkPolicy } from './validation.ts'

export const networkPolicyStrategy: Strategy<NetworkPolicy> = {
  setDefaults({ spec }) {
    if (spec === undefined) return
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    if ((spec.policyTypes ?? []).length === 0)
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  },
  prepareForCreate({ metadata }) {
    metadata.generation = 1
  },
  prepareForUpdate(policy, old) {
    // Upstream compares without mercy: an empty list is not the same as none.
    if (!isDeepStrictEqual(policy.spec, old.spec)) bumpGeneration(policy, old)
  },
  validate: (policy) => validateNetworkPolicy(policy, null),
  validateUpdate: validateNetworkPolicy,
  warnings: ({ spec }) => [
    ...(spec?.ingress ?? []).flatMap(({ from = [] }, i) => peerWarnings(from, `spec.ingress[${i}].from`)),
    ...(spec?.egress ?? []).flatMap(({ to = [] }, i) => peerWarnings(to, `spec.egress[${i}].to`)),
  ],
}

function peerWarnings(peers: readonly NetworkPolicyPeer[], path: string): string[] {
  return peers.flatMap(({ ipBlock }, i) => {
    if (ipBlock === undefined) return []
    const place = `${path}[${i}].ipBlock`
    return [
      ...cidrWarnings(`${place}.cidr`, ipBlock.cidr),
      ...(ipBlock.except ?? []).flatMap((range, j) => cidrWarnings(`${place}.except[${j}]`, range)),
    ]
  })
}
