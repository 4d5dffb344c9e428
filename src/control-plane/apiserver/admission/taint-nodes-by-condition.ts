/** A new node takes no pods before it has reported that it is ready. */
import type { Node } from '#api/core/v1.gen.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'

const TAINT = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate(attributes) {
    if (attributes.operation !== 'CREATE' || !isResource(attributes, 'nodes')) return
    const { spec } = attributes.object as Node
    const taints = spec.taints ?? []
    if (!taints.some(({ key, effect }) => key === TAINT.key && effect === TAINT.effect))
      spec.taints = [...taints, { ...TAINT }]
  },
}
