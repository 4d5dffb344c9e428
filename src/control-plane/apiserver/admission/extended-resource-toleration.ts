/** Pods that ask for devices tolerate the taints of nodes that are kept for such pods. */
import type { Pod, Toleration } from '#api/core/v1.gen.ts'
import { isExtendedResource } from '#api/core/pod-spec/resource-names.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'

export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  mutate(attributes) {
    const { operation, object } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isResource(attributes, 'pods')) return
    const { spec } = object as Pod
    const requested = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      Object.keys(resources?.requests ?? {}),
    )
    for (const key of [...new Set(requested)].filter(isExtendedResource).toSorted())
      spec.tolerations = withToleration(spec.tolerations ?? [], { key, operator: 'Exists', effect: 'NoSchedule' })
  },
}

/** One that matches the same taints is replaced. */
function withToleration(all: readonly Toleration[], added: Toleration): Toleration[] {
  const isSame = (one: Toleration): boolean =>
    isSemanticallyEqual({ ...one, tolerationSeconds: undefined }, { ...added, tolerationSeconds: undefined })
  const index = all.findIndex(isSame)
  return index < 0 ? [...all, added] : all.with(index, added)
}
