/** A pod's runtime class adds what the runtime itself needs, and where such nodes are. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { RuntimeClass } from '#api/node/v1.gen.ts'
import { mergeTolerations } from '#api/core/merge-tolerations.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { isResource, refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

export function createRuntimeClassPlugin(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'pods')) return
      const runtimeClass = await findClass(cluster, attributes)
      if (runtimeClass === null) return
      const pod = attributes.object as Pod
      setOverhead(attributes, pod, runtimeClass)
      setScheduling(attributes, pod, runtimeClass)
    },
    async validate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'pods')) return
      const { spec } = attributes.object as Pod
      const overhead = (await findClass(cluster, attributes))?.overhead
      if (overhead === undefined) {
        if (spec.overhead !== undefined)
          throw refuse(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
      } else if (!isSameAmounts(overhead.podFixed, spec.overhead)) throw refuse(attributes, MISMATCH)
    },
  }
}

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

async function findClass(cluster: ClusterReader, attributes: AdmissionAttributes): Promise<RuntimeClass | null> {
  const name = (attributes.object as Pod).spec.runtimeClassName
  if (name === undefined || name === null) return null
  const found = await cluster.get<RuntimeClass>('node.k8s.io', 'runtimeclasses', '', name)
  if (found === null) throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  return found
}

function setOverhead(attributes: AdmissionAttributes, { spec }: Pod, { overhead }: RuntimeClass): void {
  if (overhead === undefined) return
  const given = spec.overhead ?? {}
  if (Object.keys(given).length > 0 && !isSameAmounts(overhead.podFixed, given)) throw refuse(attributes, MISMATCH)
  if (overhead.podFixed === undefined) delete spec.overhead
  else spec.overhead = { ...overhead.podFixed }
}

type Amounts = Readonly<Record<string, string>>

function isSameAmounts(left: Amounts = {}, right: Amounts = {}): boolean {
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => right[name] !== undefined && compareQuantities(left[name]!, right[name]) === 0)
  )
}

function setScheduling(attributes: AdmissionAttributes, { spec }: Pod, { scheduling }: RuntimeClass): void {
  if (scheduling === undefined) return
  for (const [label, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[label]
    if (own !== undefined && own !== value)
      throw refuse(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${label}] = ${value}; pod.spec.nodeSelector[${label}] = ${own}`,
      )
  }
  if (scheduling.nodeSelector !== undefined) spec.nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector }
  const tolerations = mergeTolerations(spec.tolerations ?? [], scheduling.tolerations ?? [])
  if (tolerations.length > 0) spec.tolerations = tolerations
}
