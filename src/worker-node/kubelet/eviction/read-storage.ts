/** Measures what each pod keeps on the node's own disk: layers and logs of its running containers, volumes, hosts file. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod, Volume } from '#api/core/v1.gen.ts'
import { podLogFolder } from '../containers/pod-folders.ts'
import { POD_UID_LABEL } from '../runtime/labels.ts'
import type { ContainerRecord, RuntimeService } from '../runtime/runtime-service.ts'
import type { PodStorage } from './plan-eviction.ts'
import { fileBytes, folderBytes } from './read-load.ts'

export type StorageSources = {
  readonly rootDir: string
  readonly podLogsDir: string
  readonly containers: readonly ContainerRecord[]
  /** By container id. */
  readonly layerBytes: ReadonlyMap<string, number>
}

export async function readPodStorage(pod: Pod, sources: StorageSources): Promise<PodStorage> {
  const { uid } = pod.metadata
  const podDir = join(sources.rootDir, 'pods', uid)
  const containers: PodStorage['containers'][number][] = []
  for (const { id, name, state, labels } of sources.containers) {
    if (labels[POD_UID_LABEL] !== uid || state !== 'running') continue
    const logBytes = await folderBytes(join(sources.podLogsDir, podLogFolder(pod), name))
    containers.push({ name, layerBytes: sources.layerBytes.get(id) ?? 0, logBytes })
  }
  const volumeBytes = new Map<string, number>()
  for (const volume of pod.spec.volumes ?? []) {
    const kind = localKind(volume)
    if (kind === null) continue
    volumeBytes.set(volume.name, await folderBytes(join(podDir, 'volumes', `kubernetes.io~${kind}`, volume.name)))
  }
  return { containers, volumeBytes, otherBytes: await fileBytes(join(podDir, 'etc-hosts')) }
}

/** Memory-backed volumes count as memory, all others lie outside of the node's disk or are not the pod's own. */
function localKind({ emptyDir, configMap }: Volume): string | null {
  if (emptyDir) return emptyDir.medium === 'Memory' ? null : 'empty-dir'
  return configMap ? 'configmap' : null
}

/** Whether images, and with them the layers of containers, lie on another disk than what belongs to pods. */
export async function hasImageDisk(runtime: RuntimeService, rootDir: string): Promise<boolean> {
  const mountpoint = (await runtime.imageFilesystem())?.mountpoint
  if (!mountpoint) return false
  const [images, pods] = await Promise.all([stat(mountpoint), stat(rootDir)])
  return images.dev !== pods.dev
}
