/** Measures how much memory and disk the node has left, and what its pods' volumes hold. */
import { readdir, readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import os from 'node:os'

export async function memoryAvailableBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const kibibytes = /^MemAvailable:\s+(\d+)/m.exec(text)?.[1]
  return kibibytes === undefined ? os.freemem() : Number(kibibytes) * 1024
}

export async function diskAvailablePercent(path: string): Promise<number> {
  const { blocks, bavail } = await statfs(path)
  return blocks === 0 ? 100 : (bavail * 100) / blocks
}

/** Bytes on disk below a folder; what vanishes meanwhile does not count. */
export async function folderBytes(path: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) bytes += await folderBytes(child)
    else if (entry.isFile()) bytes += await fileBytes(child)
  }
  return bytes
}

export async function fileBytes(path: string): Promise<number> {
  return BLOCK_BYTES * ((await stat(path).catch(() => null))?.blocks ?? 0)
}

/** The unit of `stat`'s count of blocks, whatever the filesystem's own is. */
const BLOCK_BYTES = 512
