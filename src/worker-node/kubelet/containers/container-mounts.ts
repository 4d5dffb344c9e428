/** The mounts of a container: its volumes, sub-paths of them, /etc/hosts and the file for its last words. */
import { chmod, mkdir, realpath, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Container, VolumeMount } from '#api/core/v1.gen.ts'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { MountPropagation, type DeviceSchema, type MountSchema } from '../runtime/proto/cri_pb.ts'
import type { MountedVolume } from '../volumes/volume-plugin.ts'
import { expandStrictly } from './expand.ts'
import { DEFAULT_TERMINATION_MESSAGE_PATH } from './container-config.ts'
import { ConfigError } from './environment.ts'

type Mount = MessageInitShape<typeof MountSchema>
type Device = MessageInitShape<typeof DeviceSchema>

export type MountInputs = {
  readonly volumes: ReadonlyMap<string, MountedVolume>
  readonly environment: ReadonlyMap<string, Buffer>
  /** The pod's own /etc/hosts on the node; null where the node's is used. */
  readonly hostsFile: string | null
  /** An empty file for the container's last words. */
  readonly terminationFile: string
}

const PROPAGATION: Readonly<Record<string, MountPropagation>> = {
  HostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
}

export async function containerMounts(container: Container, inputs: MountInputs): Promise<Mount[]> {
  const mounts: Mount[] = []
  for (const mount of container.volumeMounts ?? []) mounts.push(await mountOf(mount, inputs))
  const mountsOver = (path: string): boolean =>
    (container.volumeMounts ?? []).some(({ mountPath }) => mountPath === path)
  if (inputs.hostsFile !== null && !mountsOver('/etc/hosts'))
    mounts.push({ containerPath: '/etc/hosts', hostPath: inputs.hostsFile })
  const messagePath = container.terminationMessagePath ?? DEFAULT_TERMINATION_MESSAGE_PATH
  if (messagePath !== '') mounts.push({ containerPath: messagePath, hostPath: inputs.terminationFile })
  return mounts
}

/** The devices that the container sees of its block volumes. */
export function containerDevices(container: Container, volumes: MountInputs['volumes']): Device[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name)
    if (!volume) throw new ConfigError(`cannot find volume "${name}" to pass into container "${container.name}"`)
    if (volume.isBlock !== true)
      throw new ConfigError(`volume ${name} has volumeMode Filesystem, but is specified in volumeDevices`)
    return { containerPath: devicePath, hostPath: volume.hostPath, permissions: volume.readOnly ? 'r' : 'mrw' }
  })
}

async function mountOf(mount: VolumeMount, { volumes, environment }: MountInputs): Promise<Mount> {
  const volume = volumes.get(mount.name)
  if (!volume) throw new ConfigError(`cannot find volume "${mount.name}" to mount into the container`)
  if (volume.isBlock === true)
    throw new ConfigError(`volume ${mount.name} has volumeMode Block, but is specified in volumeMounts`)
  const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`
  const subPath = subPathOf(mount, environment)
  if (volume.image)
    return {
      containerPath,
      readonly: true,
      image: { image: volume.image.reference },
      ...(subPath !== '' && { imageSubPath: subPath }),
    }
  return {
    containerPath,
    hostPath: subPath === '' ? volume.hostPath : await resolveSubPath(volume.hostPath, subPath),
    readonly: volume.readOnly || (mount.readOnly ?? false),
    recursiveReadOnly: mount.recursiveReadOnly === 'Enabled',
    propagation: PROPAGATION[mount.mountPropagation ?? ''] ?? MountPropagation.PROPAGATION_PRIVATE,
  }
}

function subPathOf(mount: VolumeMount, environment: ReadonlyMap<string, Buffer>): string {
  if (!mount.subPathExpr) return mount.subPath ?? ''
  try {
    const text = new Map([...environment].map(([name, value]) => [name, value.toString()]))
    return expandStrictly(mount.subPathExpr, text)
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
}

/** A missing sub-path becomes a folder. Links are followed, but never out of the volume. */
async function resolveSubPath(root: string, subPath: string): Promise<string> {
  if (subPath.startsWith('/')) throw new ConfigError(`error SubPath "${subPath}" must not be an absolute path`)
  if (subPath.split('/').includes('..'))
    throw new ConfigError(`unable to provision SubPath "${subPath}": must not contain ".."`)
  const realRoot = await realpath(root)
  const target = join(realRoot, subPath)
  const existing = await realpath(target).catch(() => null)
  if (existing === null) {
    await mkdir(target, { recursive: true, mode: 0o750 })
    await chmod(target, 0o777)
  }
  const real = existing ?? (await realpath(target))
  if (real !== realRoot && !real.startsWith(realRoot + sep))
    throw new ConfigError(`failed to prepare subPath for volumeMount: "${subPath}" leaves its volume`)
  return real
}

/** Everyone may write their last words, whatever user the container has. */
export async function makeTerminationFile(path: string): Promise<void> {
  await writeFile(path, '')
  await chmod(path, 0o666)
}
