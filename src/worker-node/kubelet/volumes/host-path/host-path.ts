/** hostPath: something that exists on the node, checked by its type before any container starts. */
import { chmod, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Stats } from 'node:fs'
import type { VolumePlugin } from '../volume-plugin.ts'

const CHECKS: Readonly<Record<string, { readonly matches: (stats: Stats) => boolean; readonly problem: string }>> = {
  Directory: { matches: (stats) => stats.isDirectory(), problem: 'is not a directory' },
  DirectoryOrCreate: { matches: (stats) => stats.isDirectory(), problem: 'is not a directory' },
  File: { matches: (stats) => stats.isFile(), problem: 'is not a file' },
  FileOrCreate: { matches: (stats) => stats.isFile(), problem: 'is not a file' },
  Socket: { matches: (stats) => stats.isSocket(), problem: 'is not a socket file' },
  CharDevice: { matches: (stats) => stats.isCharacterDevice(), problem: 'is not a character device' },
  BlockDevice: { matches: (stats) => stats.isBlockDevice(), problem: 'is not a block device' },
}

export const hostPathPlugin: VolumePlugin = {
  name: 'kubernetes.io/host-path',
  isLive: false,
  supports: (volume) => volume.hostPath !== undefined,
  async setUp({ volume }) {
    const { path, type = '' } = volume.hostPath!
    await checkHostPath(path, type)
    return { hostPath: path, readOnly: false }
  },
}

/** Without a type whatever is there is taken; a missing path becomes a folder, as upstream's runtimes make it. */
export async function checkHostPath(path: string, type: string): Promise<void> {
  if (type === '') {
    if (!(await statOrNull(path))) await mkdir(path, { recursive: true, mode: 0o755 })
    return
  }
  const check = CHECKS[type]
  if (!check) throw new Error(`${type} is an invalid volume type`)
  let stats = await statOrNull(path)
  if (!stats && type === 'DirectoryOrCreate') {
    await mkdir(path, { recursive: true, mode: 0o755 })
    await chmod(path, 0o755)
    stats = await stat(path)
  }
  if (!stats && type === 'FileOrCreate') {
    await mkdir(dirname(path), { recursive: true })
    await (await open(path, 'a', 0o644)).close()
    stats = await stat(path)
  }
  if (!stats || !check.matches(stats)) throw new Error(`hostPath type check failed: ${path} ${check.problem}`)
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
