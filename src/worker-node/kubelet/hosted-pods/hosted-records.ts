/** Remembers hosted sandboxes and containers on disk: the next life of the process has to know what ended with this one. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from '#base/log.ts'
import type { ContainerDetail, Sandbox } from '../runtime/runtime-service.ts'

export type HostedRecords = {
  readonly sandboxes: ReadonlyMap<string, Sandbox>
  readonly containers: ReadonlyMap<string, ContainerDetail>
}

const UNKNOWN_EXIT_CODE = 255

/** Containers that ran when the file was written ended with their process: containerd's code and reason for the same. */
export async function loadRecords(path: string, nowMs: number, log: Logger): Promise<HostedRecords> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{"sandboxes":[],"containers":[]}'
    throw error
  })
  const { sandboxes, containers } = parseRecords(text, path, log)
  return {
    sandboxes: new Map(sandboxes.map((sandbox) => [sandbox.id, sandbox])),
    containers: new Map(containers.map((container) => [container.id, asFound(container, nowMs)])),
  }
}

/** Without its records a node starts its hosted pods as new ones; it never stays down for them. */
function parseRecords(
  text: string,
  path: string,
  log: Logger,
): { sandboxes: Sandbox[]; containers: ContainerDetail[] } {
  try {
    return JSON.parse(text) as { sandboxes: Sandbox[]; containers: ContainerDetail[] }
  } catch (error) {
    log.warn('records of hosted pods are damaged: they start anew', { path, error: String(error) })
    return { sandboxes: [], containers: [] }
  }
}

function asFound(container: ContainerDetail, nowMs: number): ContainerDetail {
  if (container.state === 'exited') return container
  return { ...container, state: 'exited', exitCode: UNKNOWN_EXIT_CODE, reason: 'Unknown', finishedAtMs: nowMs }
}

/** Whole or not at all: a crash leaves the older file. */
export async function saveRecords(path: string, { sandboxes, containers }: HostedRecords): Promise<void> {
  const text = JSON.stringify({ sandboxes: [...sandboxes.values()], containers: [...containers.values()] })
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}
