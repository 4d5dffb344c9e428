/** Which objects the pods on a node refer to: what a kubelet may read, kept current from pods and what they lead to. */
import type { PersistentVolume, Pod } from '#api/core/v1.gen.ts'
import type { VolumeAttachment } from '#api/storage/v1.gen.ts'
import { PERSISTENTVOLUMES, PODS, VOLUMEATTACHMENTS } from '#api/resources.gen.ts'
import type { Named, ObjectFeeds } from './object-feeds.ts'

export type GraphKind =
  | 'secret'
  | 'configmap'
  | 'persistentvolumeclaim'
  | 'persistentvolume'
  | 'serviceaccount'
  | 'resourceclaim'
  | 'pod'
  | 'volumeattachment'

/** Keys of everything that one source object leads to, and the node it leads from. */
type Edges = { readonly node: string; readonly targets: readonly string[] }

const targetKey = (kind: GraphKind, namespace: string, name: string): string => `${kind}/${namespace}/${name}`

export class NodeGraph {
  /** node -> target -> number of sources on that node that lead there. */
  readonly #byNode = new Map<string, Map<string, number>>()
  readonly #edgesOf = new Map<string, Edges>()
  /** What a volume leads to: itself and its secrets. */
  readonly #targetsOfVolume = new Map<string, readonly string[]>()
  /** The claims through which such a target is reached. */
  readonly #claimsOfTarget = new Map<string, Map<string, string>>()

  setPod(pod: Pod): void {
    const key = targetKey('pod', pod.metadata.namespace!, pod.metadata.name)
    const node = pod.spec?.nodeName ?? ''
    const isMirror = pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
    // The kubelet writes mirror pods itself: what they name must not open anything to it.
    if (node === '') this.#setEdges(key, null)
    else this.#setEdges(key, { node, targets: isMirror ? [key] : [key, ...targetsOfPod(pod)] })
  }

  deletePod(pod: Named): void {
    this.#setEdges(targetKey('pod', pod.metadata.namespace!, pod.metadata.name), null)
  }

  setVolume(volume: PersistentVolume): void {
    this.deleteVolume(volume)
    const claim = volume.spec?.claimRef
    if (claim?.name === undefined) return
    const key = targetKey('persistentvolume', '', volume.metadata.name)
    const claimKey = targetKey('persistentvolumeclaim', claim.namespace ?? '', claim.name)
    const targets = [key, ...secretsOfVolume(volume)]
    this.#targetsOfVolume.set(key, targets)
    for (const target of targets) {
      const claims = this.#claimsOfTarget.get(target)
      if (claims === undefined) this.#claimsOfTarget.set(target, new Map([[key, claimKey]]))
      else claims.set(key, claimKey)
    }
  }

  deleteVolume(volume: Named): void {
    const key = targetKey('persistentvolume', '', volume.metadata.name)
    for (const target of this.#targetsOfVolume.get(key) ?? []) {
      const claims = this.#claimsOfTarget.get(target)
      claims?.delete(key)
      if (claims?.size === 0) this.#claimsOfTarget.delete(target)
    }
    this.#targetsOfVolume.delete(key)
  }

  setAttachment(attachment: VolumeAttachment): void {
    const key = targetKey('volumeattachment', '', attachment.metadata.name)
    this.#setEdges(key, { node: attachment.spec.nodeName, targets: [key] })
  }

  deleteAttachment(attachment: Named): void {
    this.#setEdges(targetKey('volumeattachment', '', attachment.metadata.name), null)
  }

  /** Whether something on the node leads to the object. */
  leadsTo(node: string, kind: GraphKind, namespace: string, name: string): boolean {
    const targets = this.#byNode.get(node)
    if (targets === undefined) return false
    const wanted = targetKey(kind, namespace, name)
    if (targets.has(wanted)) return true
    // One step further: the volumes of the claims that pods on the node use.
    for (const claim of this.#claimsOfTarget.get(wanted)?.values() ?? []) if (targets.has(claim)) return true
    return false
  }

  #setEdges(source: string, edges: Edges | null): void {
    const old = this.#edgesOf.get(source)
    if (old !== undefined) this.#count(old, -1)
    if (edges === null) this.#edgesOf.delete(source)
    else {
      this.#edgesOf.set(source, edges)
      this.#count(edges, 1)
    }
  }

  #count({ node, targets }: Edges, change: 1 | -1): void {
    let counts = this.#byNode.get(node)
    if (counts === undefined) this.#byNode.set(node, (counts = new Map()))
    for (const target of targets) {
      const count = (counts.get(target) ?? 0) + change
      if (count === 0) counts.delete(target)
      else counts.set(target, count)
    }
    if (counts.size === 0) this.#byNode.delete(node)
  }
}

function targetsOfPod(pod: Pod): string[] {
  const namespace = pod.metadata.namespace!
  const spec = pod.spec
  const targets = new Set<string>()
  const add = (kind: GraphKind, name: string | undefined): void => {
    if (name !== undefined && name !== '') targets.add(targetKey(kind, namespace, name))
  }
  add('serviceaccount', spec?.serviceAccountName)
  for (const secret of spec?.imagePullSecrets ?? []) add('secret', secret.name)
  addEnvironment(pod, add)
  addVolumes(pod, add)
  const claims = pod.status?.resourceClaimStatuses ?? []
  for (const claim of spec?.resourceClaims ?? [])
    add(
      'resourceclaim',
      claim.resourceClaimName ?? claims.find((status) => status.name === claim.name)?.resourceClaimName,
    )
  return [...targets]
}

type Add = (kind: GraphKind, name: string | undefined) => void

function addEnvironment(pod: Pod, add: Add): void {
  const spec = pod.spec
  const containers = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ]
  for (const container of containers) {
    for (const source of container.envFrom ?? []) {
      add('configmap', source.configMapRef?.name)
      add('secret', source.secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add('configmap', valueFrom?.configMapKeyRef?.name)
      add('secret', valueFrom?.secretKeyRef?.name)
    }
  }
}

function addVolumes(pod: Pod, add: Add): void {
  for (const volume of pod.spec?.volumes ?? []) {
    add('configmap', volume.configMap?.name)
    add('secret', volume.secret?.secretName)
    add('persistentvolumeclaim', volume.persistentVolumeClaim?.claimName)
    if (volume.ephemeral !== undefined) add('persistentvolumeclaim', `${pod.metadata.name}-${volume.name}`)
    for (const source of volume.projected?.sources ?? []) {
      add('configmap', source.configMap?.name)
      add('secret', source.secret?.name)
    }
    add('secret', volume.csi?.nodePublishSecretRef?.name)
    add('secret', volume.azureFile?.secretName)
    for (const plugin of [volume.cephfs, volume.flexVolume, volume.iscsi, volume.rbd, volume.scaleIO, volume.storageos])
      add('secret', plugin?.secretRef?.name)
  }
}

function secretsOfVolume(volume: PersistentVolume): string[] {
  const spec = volume.spec
  const claimNamespace = spec?.claimRef?.namespace ?? ''
  const references = [
    spec?.csi?.nodePublishSecretRef,
    spec?.csi?.nodeStageSecretRef,
    spec?.csi?.nodeExpandSecretRef,
    spec?.csi?.controllerPublishSecretRef,
    spec?.csi?.controllerExpandSecretRef,
    spec?.cephfs?.secretRef,
    spec?.flexVolume?.secretRef,
    spec?.iscsi?.secretRef,
    spec?.rbd?.secretRef,
    spec?.scaleIO?.secretRef,
    spec?.storageos?.secretRef,
  ]
  return references.flatMap((reference) =>
    reference?.name === undefined ? [] : [targetKey('secret', reference.namespace || claimNamespace, reference.name)],
  )
}

/** Keeps the graph current; call before the feeds start. */
export function followNodeGraph(graph: NodeGraph, feeds: ObjectFeeds): void {
  feeds.follow(PODS, { set: (pod) => graph.setPod(pod), drop: (pod) => graph.deletePod(pod) })
  feeds.follow(PERSISTENTVOLUMES, {
    set: (volume) => graph.setVolume(volume),
    drop: (volume) => graph.deleteVolume(volume),
  })
  feeds.follow(VOLUMEATTACHMENTS, {
    set: (attachment) => graph.setAttachment(attachment),
    drop: (attachment) => graph.deleteAttachment(attachment),
  })
}
