/** What runs of a cluster on this machine, and what it costs. */
import { readFile, readlink } from 'node:fs/promises'
import { boxNames } from './boxes.ts'
import type { ClusterState } from './cluster-state.ts'
import { boxProcesses } from './host-cgroups.ts'

export type ProcessCost = {
  readonly pid: number
  /** `kubelet`, `containerd`, `control-plane`, `containerd-shim`, or the program's name. */
  readonly name: string
  /** Proportional set size: shared pages counted once over all processes. */
  readonly memoryBytes: number
  readonly cpuSeconds: number
}

export type BoxStatus = { readonly box: string; readonly processes: readonly ProcessCost[] }

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const CLOCK_TICKS_PER_SECOND = 100

export async function readStatus(state: ClusterState): Promise<BoxStatus[]> {
  return Promise.all(
    boxNames(state).map(async (box) => {
      const costs = await Promise.all((await boxProcesses(state.name, box)).map(readCost))
      return { box, processes: costs.filter((cost) => cost !== null) }
    }),
  )
}

/** Null when the process ended meanwhile. */
async function readCost(pid: number): Promise<ProcessCost | null> {
  try {
    const [memory, stat, command, program] = await Promise.all([
      readFile(`/proc/${pid}/smaps_rollup`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readlink(`/proc/${pid}/exe`),
    ])
    return {
      pid,
      name: nameOf(program, command.split('\0')),
      memoryBytes: Number(/^Pss:\s+(\d+)/m.exec(memory)?.[1] ?? 0) * 1024,
      cpuSeconds: parseCpuSeconds(stat),
    }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

/** A Node process is named after its entry point, every other one after its program. */
export function nameOf(program: string, command: readonly string[]): string {
  const entry = command.find((word) => /\/bin\/[\w-]+\.(ts|js)$/.test(word))
  if (entry !== undefined) return entry.replace(/^.*\//, '').replace(/\.\w+$/, '')
  return program.replace(/^.*\//, '').replace(/ \(deleted\)$/, '')
}

/** User and system time out of /proc/PID/stat; the program's name may itself hold spaces and brackets. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
}
