/** Mounts what a pod's containers need before they start, keeps its content new, and takes it away after they ended. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod, Volume } from '#api/core/v1.gen.ts'
import type { NodeFacts } from '../containers/field-values.ts'
import { pluginOf, VOLUME_PLUGINS } from './plugins.ts'
import type { MountedVolume, VolumeContext } from './volume-plugin.ts'

export type VolumeManagerOptions = Omit<VolumeContext, 'pod' | 'volume' | 'path' | 'facts' | 'signal'> & {
  /** `/var/lib/kubelet`. */
  readonly rootDir: string
}

/** Names the volume that could not be mounted; the message is the event's. */
export class MountError extends Error {
  readonly volumeName: string
  constructor(volumeName: string, cause: unknown) {
    super(
      `MountVolume.SetUp failed for volume "${volumeName}" : ${cause instanceof Error ? cause.message : String(cause)}`,
    )
    this.volumeName = volumeName
  }
}

export class VolumeManager {
  readonly #options: VolumeManagerOptions

  constructor(options: VolumeManagerOptions) {
    this.#options = options
  }

  podDir(podUid: string): string {
    return join(this.#options.rootDir, 'pods', podUid)
  }

  /** By volume name. Throws MountError for the first that fails; those before it stay mounted. */
  async mountPod(pod: Pod, facts: NodeFacts, signal: AbortSignal): Promise<Map<string, MountedVolume>> {
    const mounted = new Map<string, MountedVolume>()
    for (const volume of pod.spec.volumes ?? []) {
      try {
        mounted.set(volume.name, await pluginOf(volume).setUp(this.#context({ pod, volume, facts, signal })))
      } catch (error) {
        signal.throwIfAborted()
        throw new MountError(volume.name, error)
      }
    }
    return mounted
  }

  /** Brings new content into the volumes that follow an object or a token. */
  async refreshPod(pod: Pod, facts: NodeFacts, signal: AbortSignal): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      const plugin = pluginOf(volume)
      if (!plugin.isLive) continue
      try {
        await plugin.setUp(this.#context({ pod, volume, facts, signal }))
      } catch (error) {
        signal.throwIfAborted()
        throw new MountError(volume.name, error)
      }
    }
  }

  /** Works from what is on disk, so also for a pod that is known no more. Idempotent. */
  async unmountPod(podUid: string): Promise<void> {
    const { mounter, tokens } = this.#options
    const volumesDir = join(this.podDir(podUid), 'volumes')
    for (const folder of await readdirOrEmpty(volumesDir)) {
      const plugin = VOLUME_PLUGINS.find((candidate) => folderName(candidate.name) === folder)
      for (const name of await readdirOrEmpty(join(volumesDir, folder)))
        await plugin?.tearDown?.(join(volumesDir, folder, name), mounter)
    }
    for (const point of await mounter.mountsBelow(this.podDir(podUid))) await mounter.unmount(point)
    await rm(volumesDir, { recursive: true, force: true })
    tokens.forgetPod(podUid)
  }

  /** After unmountPod: also the last words of containers go. */
  async removePodDir(podUid: string): Promise<void> {
    await rm(this.podDir(podUid), { recursive: true, force: true })
  }

  /** Uids of pods that left a folder here. */
  podsOnDisk(): Promise<string[]> {
    return readdirOrEmpty(join(this.#options.rootDir, 'pods'))
  }

  /** Files beside the volumes: etc-hosts, termination messages. */
  async makePodDir(podUid: string): Promise<string> {
    const path = this.podDir(podUid)
    await mkdir(path, { recursive: true, mode: 0o750 })
    return path
  }

  #context(of: {
    readonly pod: Pod
    readonly volume: Volume
    readonly facts: NodeFacts
    readonly signal: AbortSignal
  }): VolumeContext {
    const { mounter, clock, tokens, sources } = this.#options
    const plugin = pluginOf(of.volume)
    const path = join(this.podDir(of.pod.metadata.uid), 'volumes', folderName(plugin.name), of.volume.name)
    return { ...of, path, mounter, clock, tokens, sources }
  }
}

const folderName = (pluginName: string): string => pluginName.replace('/', '~')

async function readdirOrEmpty(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
