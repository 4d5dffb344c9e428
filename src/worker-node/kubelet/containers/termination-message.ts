/** Reads the last words of a container: from the file it wrote, or from the end of its log. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '#api/core/v1.gen.ts'
import { TERMINATION_MESSAGE_POLICY } from '../runtime/labels.ts'
import type { ContainerDetail } from '../runtime/runtime-service.ts'
import { containerFolder, podLogFolder } from './pod-folders.ts'

const MESSAGE_BYTES_MAX = 4096
const FALLBACK_BYTES_MAX = 2048
const FALLBACK_LINES_MAX = 80

type Folders = { readonly rootDir: string; readonly podLogsDir: string }

/** Empty when there are none. */
export async function readTerminationMessage(pod: Pod, container: ContainerDetail, folders: Folders): Promise<string> {
  const file = join(containerFolder(folders.rootDir, pod.metadata.uid, container.name), String(container.attempt))
  const written = (await readTail(file, MESSAGE_BYTES_MAX))?.text ?? ''
  const fallsBack = container.annotations[TERMINATION_MESSAGE_POLICY] === 'FallbackToLogsOnError'
  if (written !== '' || !fallsBack || container.exitCode === 0) return written
  const log = join(folders.podLogsDir, podLogFolder(pod), container.name, `${container.attempt}.log`)
  return lastLines(await readTail(log, 4 * FALLBACK_BYTES_MAX))
}

type Tail = { readonly text: string; readonly isWhole: boolean }

async function readTail(path: string, bytesMax: number): Promise<Tail | null> {
  const file = await open(path, 'r').catch(() => null)
  if (!file) return null
  try {
    const { size } = await file.stat()
    const length = Math.min(size, bytesMax)
    const buffer = Buffer.alloc(length)
    await file.read(buffer, 0, length, size - length)
    return { text: buffer.toString(), isWhole: length === size }
  } finally {
    await file.close()
  }
}

/** The log is in CRI's format: `time stream flag text`. */
function lastLines(tail: Tail | null): string {
  if (!tail) return ''
  const lines = tail.text.split('\n').slice(tail.isWhole ? 0 : 1)
  const texts = lines.filter((line) => line !== '').map((line) => line.split(' ').slice(3).join(' '))
  const message = texts
    .slice(-FALLBACK_LINES_MAX)
    .map((text) => `${text}\n`)
    .join('')
  return message.slice(-FALLBACK_BYTES_MAX)
}
