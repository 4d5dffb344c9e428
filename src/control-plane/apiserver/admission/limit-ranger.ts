/** Pods and claims keep to the LimitRanges of their namespace, and take their defaults from them. */
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { aggregateResources } from '#api/core/pod-spec/aggregate-resources.ts'
import { isResource, refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { limitViolations, type Amounts } from './limit-violations.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'
const POD_LEVEL_RESOURCES = new Set(['cpu', 'memory'])

export function createLimitRanger(cluster: ClusterReader): AdmissionPlugin {
  const rangesFor = async (attributes: AdmissionAttributes): Promise<LimitRange[]> =>
    concerns(attributes) ? cluster.list<LimitRange>('', 'limitranges', attributes.namespace) : []
  return {
    name: 'LimitRanger',
    async mutate(attributes) {
      if (attributes.kind.resource !== 'pods') return
      for (const range of await rangesFor(attributes)) setDefaults(attributes.object as Pod, range)
    },
    async validate(attributes) {
      for (const range of await rangesFor(attributes)) {
        const problems = (range.spec?.limits ?? []).flatMap((item) => violationsOf(attributes, item))
        if (problems.length > 0) throw refuse(attributes, joinProblems(problems))
      }
    },
  }
}

function concerns(attributes: AdmissionAttributes): boolean {
  const { operation, kind, subresource, oldObject } = attributes
  if (operation !== 'CREATE' && operation !== 'UPDATE') return false
  if (oldObject?.metadata.deletionTimestamp !== undefined) return false
  if (isResource(attributes, 'persistentvolumeclaims')) return true
  const isPod = kind.group === '' && kind.resource === 'pods'
  return isPod && (operation === 'CREATE' ? subresource === '' : subresource === 'resize')
}

/** As Go joins several errors: each once. */
function joinProblems(problems: readonly string[]): string {
  const once = [...new Set(problems)]
  return once.length === 1 ? once[0]! : `[${once.join(', ')}]`
}

function setDefaults({ metadata, spec }: Pod, range: LimitRange): void {
  const requests: Amounts = {}
  const limits: Amounts = {}
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'Container') continue
    Object.assign(requests, item.defaultRequest)
    Object.assign(limits, item.default)
  }
  const texts = [
    ...spec.containers.flatMap((container) => fillContainer(container, 'container', requests, limits)),
    ...(spec.initContainers ?? []).flatMap((container) => fillContainer(container, 'init container', requests, limits)),
  ]
  if (texts.length > 0)
    metadata.annotations = { ...metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${texts.join('; ')}` }
}

function fillContainer(container: Container, what: string, requests: Amounts, limits: Amounts): string[] {
  const resources = (container.resources ??= {})
  const texts: string[] = []
  for (const [part, defaults] of [
    ['requests', requests],
    ['limits', limits],
  ] as const) {
    const given = resources[part] ?? {}
    const added = Object.keys(defaults).filter((name) => given[name] === undefined)
    if (added.length === 0) continue
    resources[part] = { ...given, ...Object.fromEntries(added.map((name) => [name, defaults[name]!])) }
    texts.push(`${added.toSorted().join(', ')} ${part.slice(0, -1)} for ${what} ${container.name}`)
  }
  return texts
}

function violationsOf({ kind, object }: AdmissionAttributes, item: LimitRangeItem): string[] {
  if (kind.resource === 'persistentvolumeclaims') {
    if (item.type !== 'PersistentVolumeClaim') return []
    const requests = (object as PersistentVolumeClaim).spec.resources?.requests ?? {}
    return limitViolations(item, { requests, limits: {} }, { onlyRequests: true })
  }
  const { spec } = object as Pod
  if (item.type === 'Container')
    return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      limitViolations(item, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }),
    )
  if (item.type !== 'Pod') return []
  return limitViolations(item, { requests: amountsOfPod(spec, 'requests'), limits: amountsOfPod(spec, 'limits') })
}

/** What the pod says for itself counts more than the sum of its containers. */
function amountsOfPod(spec: PodSpec, part: 'requests' | 'limits'): Amounts {
  const amounts: Amounts = { ...aggregateResources(spec, part) }
  for (const [name, amount] of Object.entries(spec.resources?.[part] ?? {}))
    if (POD_LEVEL_RESOURCES.has(name)) amounts[name] = amount
  return amounts
}
