/** persistentVolumeClaim: the volume a claim is bound to, where that lies on this node (hostPath and local volumes). */
import { access, stat } from 'node:fs/promises'
import type { PersistentVolume } from '#api/core/v1.gen.ts'
import { applyFsGroup } from '../fs-group.ts'
import { checkHostPath } from '../host-path/host-path.ts'
import type { VolumeContext, VolumePlugin } from '../volume-plugin.ts'

export const persistentVolumeClaimPlugin: VolumePlugin = {
  name: 'kubernetes.io/local-volume',
  isLive: false,
  supports: (volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined,
  async setUp(context) {
    const { pod, volume } = context
    const claimName = volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`
    const bound = await resolveClaim(context, claimName)
    const readOnly = volume.persistentVolumeClaim?.readOnly ?? false
    if (bound.spec?.volumeMode === 'Block') return { hostPath: await devicePath(bound), readOnly, isBlock: true }
    const hostPath = await filesPath(bound)
    await applyFsGroup(hostPath, pod, 'writable')
    return { hostPath, readOnly }
  },
}

async function resolveClaim({ pod, volume, sources }: VolumeContext, claimName: string): Promise<PersistentVolume> {
  const namespace = pod.metadata.namespace ?? 'default'
  const claim = await sources.claim(namespace, claimName)
  if (!claim) throw new Error(`persistentvolumeclaim "${claimName}" not found`)
  if (volume.ephemeral && claim.metadata.ownerReferences?.some((owner) => owner.uid === pod.metadata.uid) !== true)
    throw new Error(
      `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
    )
  const volumeName = claim.spec?.volumeName
  if (!volumeName || claim.status?.phase !== 'Bound')
    throw new Error(`persistentvolumeclaim "${claimName}" is not bound`)
  const bound = await sources.persistentVolume(volumeName)
  if (!bound) throw new Error(`persistentvolume "${volumeName}" not found`)
  return bound
}

async function devicePath({ metadata, spec }: PersistentVolume): Promise<string> {
  const path = spec?.local?.path
  if (path === undefined)
    throw new Error(`this node has no plugin for the block device of persistent volume "${metadata.name}"`)
  if (!(await stat(path)).isBlockDevice())
    throw new Error(`path "${path}" of persistent volume "${metadata.name}" is no block device`)
  return path
}

async function filesPath(bound: PersistentVolume): Promise<string> {
  if (bound.spec?.hostPath) {
    await checkHostPath(bound.spec.hostPath.path, bound.spec.hostPath.type ?? '')
    return bound.spec.hostPath.path
  }
  if (bound.spec?.local) {
    await access(bound.spec.local.path)
    return bound.spec.local.path
  }
  throw new Error(`this node has no plugin for the kind of persistent volume "${bound.metadata.name}"`)
}
