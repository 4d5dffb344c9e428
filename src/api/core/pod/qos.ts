/** The quality of service class of a pod: which pods go first when a node runs out of memory. */
import type { Pod, PodSpec, ResourceRequirements } from '#api/core/v1.gen.ts'
import { isPodLevelResource } from '#api/core/pod-spec/resource-names.ts'
import { compareQuantities } from '#machinery/quantity.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** The class that a pod has, or would have if it were new. */
export function qosClassOf(pod: Pod): QosClass {
  return (pod.status?.qosClass as QosClass | undefined) ?? computeQosClass(pod.spec)
}

export function computeQosClass(spec: PodSpec): QosClass {
  const own = spec.resources
  const names = [...Object.keys(own?.requests ?? {}), ...Object.keys(own?.limits ?? {})]
  if (own !== undefined && names.some(isPodLevelResource)) return classOf(own)
  let found: QosClass | undefined
  for (const { resources } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const next = classOf(resources ?? {})
    if (next === 'Burstable' || (found !== undefined && found !== next)) return 'Burstable'
    found = next
  }
  return found ?? 'BestEffort'
}

function classOf(resources: ResourceRequirements): QosClass {
  const cpu = classOfResource(resources, 'cpu')
  return cpu === classOfResource(resources, 'memory') ? cpu : 'Burstable'
}

function classOfResource({ requests, limits }: ResourceRequirements, name: string): QosClass {
  const request = requests?.[name] ?? '0'
  if (compareQuantities(request, limits?.[name] ?? '0') !== 0) return 'Burstable'
  return compareQuantities(request, '0') === 0 ? 'BestEffort' : 'Guaranteed'
}
