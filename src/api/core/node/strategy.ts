/** How writes of Nodes are completed and checked. */
import type { Node } from '#api/core/v1.gen.ts'
import { cidrWarnings } from '#api/cidr.ts'
import type { Strategy } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { PREEMPTION_GATE, validatePreemptionPolicy } from './preemption-policy.ts'
import { validateNode, validateNodeUpdate } from './validation.ts'

export const nodeStrategy: Strategy<Node> = {
  setDefaults(node) {
    const { spec, status } = node
    if (spec !== undefined) completePodRanges(spec)
    if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity }
  },
  /** Nodes register with their status in one write, so a create keeps it. */
  prepareForCreate(node, { features }) {
    delete node.spec.configSource
    if (!features.isEnabled(PREEMPTION_GATE)) delete node.spec.podPreemptionPolicy
    if (node.status !== undefined) delete node.status.config
  },
  prepareForUpdate(node, old, { subresource, features }) {
    if (subresource === 'status') {
      keepSpec(node, old)
      if (old.status?.config === undefined && node.status !== undefined) delete node.status.config
      return
    }
    keepStatus(node, old)
    if (old.spec.configSource === undefined) delete node.spec.configSource
    if (!features.isEnabled(PREEMPTION_GATE) && old.spec.podPreemptionPolicy === undefined)
      delete node.spec.podPreemptionPolicy
  },
  validate: (node, { features }) => [...validateNode(node), ...validatePreemptionPolicy(node, null, features)],
  validateUpdate: (node, old, { subresource, features }) => [
    ...(subresource === 'status' ? [] : validateNode(node)),
    ...validateNodeUpdate(node, old),
    ...validatePreemptionPolicy(node, old, features),
  ],
  warnings,
}

/** `podCIDR` is the first of `podCIDRs`; where a client says both, the single one counts. */
function completePodRanges(spec: Node['spec']): void {
  const ranges = spec.podCIDRs ?? []
  if (spec.podCIDR && spec.podCIDR !== ranges[0]) spec.podCIDRs = [spec.podCIDR]
  else if (ranges[0] !== undefined) spec.podCIDR = ranges[0]
}

function warnings({ spec }: Node): string[] {
  const found: string[] = []
  if (spec.configSource !== undefined) found.push('spec.configSource: the feature is removed')
  if (spec.externalID) found.push('spec.externalID: this field is deprecated, and is unused by Kubernetes')
  return [...found, ...(spec.podCIDRs ?? []).flatMap((range, i) => cidrWarnings(`spec.podCIDRs[${i}]`, range))]
}
