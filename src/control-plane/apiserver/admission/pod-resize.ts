/** A pod in place is not resized to more than its node could ever give: the answer comes with the request, not later from the kubelet. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { aggregateResources } from '#api/core/pod-spec/aggregate-resources.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { addQuantities, compareQuantities, formatQuantity, quantityMilliValue } from '#machinery/quantity.ts'
import { StatusError } from '#machinery/status-error.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

export function createPodResizeValidator(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    async validate(attributes) {
      const { kind, subresource, operation } = attributes
      if (operation !== 'UPDATE' || kind.group !== '' || kind.resource !== 'pods' || subresource !== 'resize') return
      const pod = attributes.object as Pod
      const { nodeName = '' } = pod.spec
      if (nodeName === '' || isSemanticallyEqual(pod.spec, (attributes.oldObject as Pod).spec)) return
      const node = await cluster.get<Node>('', 'nodes', '', nodeName)
      if (!node) throw refuse(attributes, `node ${JSON.stringify(nodeName)} not found`)
      checkPlatform(attributes, node)
      checkCapacity(attributes, pod, node)
    },
  }
}

function checkPlatform(attributes: AdmissionAttributes, { metadata }: Node): void {
  const system = metadata.labels?.['kubernetes.io/os'] ?? 'linux'
  if (system === 'linux') return
  const [name, found] = [JSON.stringify(metadata.name), JSON.stringify(system)]
  const text = `pod resize is only supported on linux nodes, node ${name} is ${found}`
  throw refuseBecause(attributes, text, 'UnsupportedPlatform')
}

function checkCapacity(attributes: AdmissionAttributes, pod: Pod, { status }: Node): void {
  const problems = UNITS.flatMap(([resource, valueOf]) => {
    const requested = requestOf(pod, resource)
    const allocatable = status?.allocatable?.[resource] ?? '0'
    if (compareQuantities(requested, allocatable) <= 0) return []
    return [`${resource}, requested: ${valueOf(requested)}, allocatable: ${valueOf(allocatable)}`]
  })
  if (problems.length === 0) return
  const text = `node didn't have enough allocatable resources: ${problems.join('; ')}`
  throw refuseBecause(attributes, text, 'NodeCapacity')
}

const UNITS: readonly (readonly [string, (quantity: string) => number])[] = [
  ['cpu', quantityMilliValue],
  ['memory', (quantity) => Math.ceil(quantityMilliValue(quantity) / 1000)],
]

function requestOf({ spec }: Pod, resource: string): string {
  const own = spec.resources?.requests?.[resource] ?? aggregateResources(spec, 'requests')[resource] ?? '0'
  return formatQuantity(addQuantities(own, spec.overhead?.[resource] ?? '0'))
}

function refuseBecause(attributes: AdmissionAttributes, why: string, cause: string): StatusError {
  const { code, reason, message, details } = refuse(attributes, why)
  return new StatusError({ code, reason, message, details: { ...details, causes: [{ reason: cause }] } })
}
