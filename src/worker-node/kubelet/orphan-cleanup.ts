/** Takes away what pods left behind that nobody knows any more: containers, sandboxes, volumes, cgroups. */
import { rm, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '#base/log.ts'
import { KUBEPODS, possibleCgroupPaths } from './cgroups/pod-cgroups.ts'
import type { CgroupManager } from './cgroups/cgroup-manager.ts'
import { POD_TERMINATION_GRACE_PERIOD } from './runtime/labels.ts'
import type { ContainerRecord, RuntimeService } from './runtime/runtime-service.ts'
import type { VolumeManager } from './volumes/volume-manager.ts'

export type OrphanCleanupOptions = {
  readonly runtime: RuntimeService
  readonly volumes: VolumeManager
  readonly cgroups: CgroupManager
  readonly podLogsDir: string
  readonly log: Logger
  /** A worker, or the API server, knows this pod. */
  isKnown(podUid: string): boolean
}

/** May be called at any time after the first list of pods; one failure does not keep the others from being cleaned. */
export async function cleanUpOrphans(options: OrphanCleanupOptions): Promise<void> {
  const { runtime, volumes, isKnown, log } = options
  const sandboxes = await runtime.listPodSandboxes()
  const uids = new Set([
    ...sandboxes.map(({ podUid }) => podUid),
    ...(await volumes.podsOnDisk()),
    ...(await cgroupUids(options)),
  ])
  for (const uid of uids) {
    if (uid === '' || isKnown(uid)) continue
    try {
      await removePod(options, uid)
      log.info('removed what an unknown pod had left', { uid })
    } catch (error) {
      log.warn('could not remove what an unknown pod had left', { uid, error: String(error) })
    }
  }
  await removeLogs(options)
}

async function cgroupUids({ cgroups }: OrphanCleanupOptions): Promise<string[]> {
  const parents = [KUBEPODS, `${KUBEPODS}/burstable`, `${KUBEPODS}/besteffort`]
  const names = (await Promise.all(parents.map((parent) => cgroups.children(parent)))).flat()
  return names.filter((name) => name.startsWith('pod')).map((name) => name.slice('pod'.length))
}

async function removePod({ runtime, volumes, cgroups }: OrphanCleanupOptions, uid: string): Promise<void> {
  const containers = await runtime.listContainers(uid)
  await Promise.all(containers.map((container) => stop(runtime, container)))
  for (const { id } of await runtime.listPodSandboxes(uid)) {
    await runtime.stopPodSandbox(id)
    await runtime.removePodSandbox(id)
  }
  await volumes.unmountPod(uid)
  await volumes.removePodDir(uid)
  for (const path of possibleCgroupPaths(uid)) await cgroups.remove(path)
}

async function stop(runtime: RuntimeService, container: ContainerRecord): Promise<void> {
  const grace = Number(container.annotations[POD_TERMINATION_GRACE_PERIOD] ?? 30)
  if (container.state === 'running') await runtime.stopContainer(container.id, grace)
  await runtime.removeContainer(container.id)
}

/** Folders are named `namespace_name_uid`. */
async function removeLogs({ podLogsDir, isKnown }: OrphanCleanupOptions): Promise<void> {
  for (const folder of await readdir(podLogsDir).catch(() => [])) {
    const uid = folder.split('_')[2]
    if (uid !== undefined && !isKnown(uid)) await rm(join(podLogsDir, folder), { recursive: true, force: true })
  }
}
