/** emptyDir: a folder that lives as long as the pod, on disk or in memory. */
import { chmod, mkdir } from 'node:fs/promises'
import { quantityValue } from '../../quantities.ts'
import type { VolumePlugin } from '../volume-plugin.ts'
import { applyFsGroup } from '../fs-group.ts'

const MODE = 0o777

export const emptyDirPlugin: VolumePlugin = {
  name: 'kubernetes.io/empty-dir',
  isLive: false,
  supports: (volume) => volume.emptyDir !== undefined,
  async setUp({ pod, volume, path, mounter }) {
    const { medium, sizeLimit, mode = MODE } = volume.emptyDir!
    if (medium?.startsWith('HugePages')) throw new Error(`emptyDir medium "${medium}" is not supported by this node`)
    const made = await mkdir(path, { recursive: true })
    if (medium === 'Memory' && !(await mounter.mountsBelow(path)).includes(path)) {
      const sizeBytes = sizeLimit === undefined ? undefined : quantityValue(sizeLimit)
      await mounter.mountTmpfs(path, { mode, ...(sizeBytes !== undefined && { sizeBytes }) })
    } else if (made === undefined) return { hostPath: path, readOnly: false }
    await chmod(path, mode) // The process's umask does not count here.
    await applyFsGroup(path, pod, 'writable')
    return { hostPath: path, readOnly: false }
  },
  async tearDown(path, mounter) {
    await mounter.unmount(path)
  },
}
