/** Values of the downward API: fields of the pod and resources of its containers, as text. */
import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from '#api/core/v1.gen.ts'
import { quantityMilliValue, quantityNumber } from '../quantities.ts'
import { findContainer } from '../pods/pod-facts.ts'

/** What the pod alone does not tell. */
export type NodeFacts = {
  readonly nodeName: string
  readonly hostIps: readonly string[]
  readonly podIps: readonly string[]
  /** In place of a limit that a container does not set. */
  readonly allocatable: Readonly<Record<string, string>>
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.+)'\]$/

export function fieldValue(pod: Pod, { fieldPath }: Pick<ObjectFieldSelector, 'fieldPath'>, facts: NodeFacts): string {
  const subscript = SUBSCRIPT.exec(fieldPath)
  if (subscript) {
    const map = subscript[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations
    return map?.[subscript[2]!] ?? ''
  }
  const values: Record<string, () => string | undefined> = {
    'metadata.name': () => pod.metadata.name,
    'metadata.namespace': () => pod.metadata.namespace,
    'metadata.uid': () => pod.metadata.uid,
    'metadata.labels': () => formatMap(pod.metadata.labels),
    'metadata.annotations': () => formatMap(pod.metadata.annotations),
    'spec.nodeName': () => facts.nodeName,
    'spec.serviceAccountName': () => pod.spec.serviceAccountName,
    'status.hostIP': () => facts.hostIps[0],
    'status.hostIPs': () => facts.hostIps.join(','),
    'status.podIP': () => facts.podIps[0],
    'status.podIPs': () => facts.podIps.join(','),
  }
  const value = values[fieldPath]
  if (!value) throw new Error(`unsupported fieldPath: ${fieldPath}`)
  return value() ?? ''
}

/** One `key="value"` a line, sorted, with the value quoted as Go does. */
export function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}

/** `container` is the one that asks; a volume names another by containerName. */
export function resourceValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  facts: NodeFacts,
  container?: Container,
): string {
  const target = selector.containerName ? findContainer(pod, selector.containerName)?.container : container
  if (!target) throw new Error(`container ${selector.containerName ?? ''} not found`)
  const [list, name] = splitResource(selector.resource)
  const { limits, requests } = target.resources ?? {}
  const set = list === 'limits' ? (limits?.[name] ?? facts.allocatable[name]) : (requests?.[name] ?? limits?.[name])
  const divisor = selector.divisor && quantityNumber(selector.divisor) !== 0 ? selector.divisor : '1'
  const amount = set ?? '0'
  if (name === 'cpu') return String(Math.ceil(quantityMilliValue(amount) / quantityMilliValue(divisor)))
  return String(Math.ceil(quantityNumber(amount) / quantityNumber(divisor)))
}

function splitResource(resource: string): ['limits' | 'requests', string] {
  const [list, ...name] = resource.split('.')
  if (list !== 'limits' && list !== 'requests') throw new Error(`unsupported container resource : ${resource}`)
  return [list, name.join('.')]
}
