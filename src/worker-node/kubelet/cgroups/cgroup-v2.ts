/** Pod cgroups in the one tree of cgroup v2. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCountersOrNull, readNumber } from './cgroup-files.ts'
import { CPU_PERIOD_US, type CgroupManager, type CgroupResources, type CgroupUsage } from './cgroup-manager.ts'
import { removeTree } from './cgroup-v1.ts'

const CONTROLLERS = '+cpu +cpuset +memory +pids +io'

export class CgroupV2 implements CgroupManager {
  readonly #root: string

  constructor(root = '/sys/fs/cgroup') {
    this.#root = root
  }

  async apply(path: string, resources: CgroupResources): Promise<void> {
    await this.#makeWithControllers(path)
    const write = (file: string, value: string | number | undefined): Promise<void> =>
      value === undefined ? Promise.resolve() : writeFile(join(this.#root, path, file), String(value))
    await write('cpu.weight', resources.cpuShares === undefined ? undefined : weightOfShares(resources.cpuShares))
    await write('cpu.max', resources.cpuQuotaUs === undefined ? undefined : `${resources.cpuQuotaUs} ${CPU_PERIOD_US}`)
    await write('memory.max', resources.memoryLimitBytes)
    await write('pids.max', resources.pidsMax)
  }

  async remove(path: string): Promise<void> {
    await removeTree(join(this.#root, path))
  }

  async children(path: string): Promise<string[]> {
    try {
      const entries = await readdir(join(this.#root, path), { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async usage(path: string): Promise<CgroupUsage | null> {
    const folder = join(this.#root, path)
    const counters = await readCountersOrNull(join(folder, 'memory.stat'))
    const cpu = await readCountersOrNull(join(folder, 'cpu.stat'))
    const usage = await readNumber(join(folder, 'memory.current'))
    if (!counters || !cpu || usage === null) return null
    return {
      cpuUsageNanoseconds: (cpu['usage_usec'] ?? 0) * 1000,
      memoryUsageBytes: usage,
      memoryWorkingSetBytes: Math.max(0, usage - (counters['inactive_file'] ?? 0)),
      memoryRssBytes: counters['anon'] ?? 0,
      pageFaults: counters['pgfault'] ?? 0,
      majorPageFaults: counters['pgmajfault'] ?? 0,
      processes: (await readNumber(join(folder, 'pids.current'))) ?? 0,
    }
  }

  /** Each level hands its controllers down before the next is used; inner groups hold no processes. */
  async #makeWithControllers(path: string): Promise<void> {
    const parts = path.split('/').filter((part) => part !== '')
    for (let depth = 0; depth < parts.length; depth++) {
      const parent = join(this.#root, ...parts.slice(0, depth))
      await writeFile(join(parent, 'cgroup.subtree_control'), CONTROLLERS)
      await mkdir(join(parent, parts[depth]!), { recursive: true })
    }
  }
}

/** Shares of v1 (2 to 262144) on the scale of v2 (1 to 10000). */
export const weightOfShares = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142)
