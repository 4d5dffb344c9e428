/** Keeps the logs of running containers small: a full one is put aside, the oldest are compressed and removed. */
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { RuntimeService } from '../runtime/runtime-service.ts'

export type RotationOptions = {
  readonly runtime: RuntimeService
  readonly nowMs: number
  readonly bytesMax: number
  /** The file in use included. */
  readonly filesMax: number
}

/** One container; `path` is its log in use. True when it was rotated. */
export async function rotateLog(path: string, containerId: string, options: RotationOptions): Promise<boolean> {
  const size = (await stat(path).catch(() => null))?.size ?? 0
  if (size <= options.bytesMax) return false
  const rotated = await rotatedFiles(path)
  // The newest rotated file stays readable as it is; those behind it are compressed.
  for (const file of rotated) if (!file.endsWith('.gz')) await compress(file)
  const kept = (await rotatedFiles(path)).slice(0, Math.max(0, options.filesMax - 2))
  for (const file of await rotatedFiles(path)) if (!kept.includes(file)) await rm(file, { force: true })
  const aside = `${path}.${timestamp(options.nowMs)}`
  await rename(path, aside)
  try {
    await options.runtime.reopenContainerLog(containerId)
  } catch (error) {
    await rename(aside, path) // The runtime still writes to the old file.
    throw error
  }
  return true
}

/** Newest first: the names end with the time. */
async function rotatedFiles(path: string): Promise<string[]> {
  const names = await readdir(dirname(path))
  const prefix = `${basename(path)}.`
  return names
    .filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp'))
    .sort()
    .reverse()
    .map((name) => join(dirname(path), name))
}

async function compress(file: string): Promise<void> {
  const temporary = `${file}.tmp`
  await pipeline(createReadStream(file), createGzip(), createWriteStream(temporary))
  await rename(temporary, `${file}.gz`)
  await rm(file)
}

/** `20261124-120501`. */
function timestamp(ms: number): string {
  const digits = new Date(ms).toISOString().replaceAll(/[-:]/g, '')
  return `${digits.slice(0, 8)}-${digits.slice(9, 15)}`
}
