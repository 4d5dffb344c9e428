/** A pod on a node is changed only in ways that the node's kubelet says it can follow. */
import type { Node, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { isSidecar } from '#api/core/pod-spec/containers-of.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { refuse, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

export function createNodeDeclaredFeatureValidator(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'NodeDeclaredFeatureValidator',
    async validate(attributes) {
      const { kind, subresource, operation } = attributes
      if (operation !== 'UPDATE' || kind.group !== '' || kind.resource !== 'pods') return
      if (subresource !== '' && subresource !== 'resize') return
      const [pod, old] = [attributes.object as Pod, attributes.oldObject as Pod]
      const { nodeName = '' } = pod.spec
      if (nodeName === '' || pod.metadata.generation === old.metadata.generation) return
      const required = requiredFeatures(old.spec, pod.spec)
      if (required.length === 0) return
      const node = await cluster.get<Node>('', 'nodes', '', nodeName)
      if (node === null) throw refuse(attributes, `node ${JSON.stringify(nodeName)} not found`)
      const declared = node.status?.declaredFeatures ?? []
      const missing = required.filter((feature) => !declared.includes(feature))
      if (missing.length > 0)
        throw refuse(
          attributes,
          `pod update requires features ${missing.join(', ')} which are not available on node ${JSON.stringify(nodeName)}`,
        )
    },
  }
}

/** In the order of upstream's registry. */
function requiredFeatures(old: PodSpec, wanted: PodSpec): string[] {
  const features: string[] = []
  if (!isSemanticallyEqual(old.resources, wanted.resources)) features.push('InPlacePodLevelResourcesVerticalScaling')
  if (resizesInitContainer(old, wanted)) features.push('InPlacePodVerticalScalingInitContainers')
  if (resizesMemoryVolume(old, wanted)) features.push('InPlacePodVerticalScalingMemoryBackedVolumes')
  return features
}

function resizesInitContainer(old: PodSpec, wanted: PodSpec): boolean {
  return (old.initContainers ?? []).some(
    (container, i) =>
      !isSidecar(container) && !isSemanticallyEqual(container.resources, wanted.initContainers?.[i]?.resources),
  )
}

function resizesMemoryVolume({ volumes: before = [] }: PodSpec, { volumes = [] }: PodSpec): boolean {
  if (before.length !== volumes.length) return false
  return volumes.some(({ name, emptyDir }, i) => {
    const old = before[i]!
    if (old.name !== name || emptyDir?.medium !== 'Memory') return false
    const [size, oldSize] = [emptyDir.sizeLimit, old.emptyDir?.sizeLimit]
    return size !== undefined && oldSize !== undefined && compareQuantities(size, oldSize) !== 0
  })
}
