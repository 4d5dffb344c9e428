/** Pod cgroups where each controller has its own tree (cgroup v1). */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CPU_PERIOD_US, type CgroupManager, type CgroupResources, type CgroupUsage } from './cgroup-manager.ts'
import { readCountersOrNull, readNumber } from './cgroup-files.ts'

/** `cpu` and `cpuacct` may be one tree; a link then leads from each name to it. */
const CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd']

export class CgroupV1 implements CgroupManager {
  readonly #root: string
  #controllers: Promise<readonly string[]> | null = null

  constructor(root = '/sys/fs/cgroup') {
    this.#root = root
  }

  async apply(path: string, resources: CgroupResources): Promise<void> {
    for (const controller of await this.#present()) await mkdir(this.#folder(controller, path), { recursive: true })
    await this.#fillCpuset(path)
    const write = (controller: string, file: string, value: number | undefined): Promise<void> =>
      value === undefined ? Promise.resolve() : writeFile(join(this.#folder(controller, path), file), String(value))
    await write('cpu', 'cpu.shares', resources.cpuShares)
    await write('cpu', 'cpu.cfs_period_us', resources.cpuQuotaUs === undefined ? undefined : CPU_PERIOD_US)
    await write('cpu', 'cpu.cfs_quota_us', resources.cpuQuotaUs)
    await write('memory', 'memory.limit_in_bytes', resources.memoryLimitBytes)
    await write('pids', 'pids.max', resources.pidsMax)
  }

  async remove(path: string): Promise<void> {
    for (const controller of await this.#present()) await removeTree(this.#folder(controller, path))
  }

  async children(path: string): Promise<string[]> {
    try {
      const entries = await readdir(this.#folder('memory', path), { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async usage(path: string): Promise<CgroupUsage | null> {
    const memory = this.#folder('memory', path)
    const counters = await readCountersOrNull(join(memory, 'memory.stat'))
    const usage = await readNumber(join(memory, 'memory.usage_in_bytes'))
    const cpu = await readNumber(join(this.#folder('cpuacct', path), 'cpuacct.usage'))
    if (!counters || usage === null || cpu === null) return null
    const inactive = counters['total_inactive_file'] ?? 0
    return {
      cpuUsageNanoseconds: cpu,
      memoryUsageBytes: usage,
      memoryWorkingSetBytes: Math.max(0, usage - inactive),
      memoryRssBytes: counters['total_rss'] ?? 0,
      pageFaults: counters['total_pgfault'] ?? 0,
      majorPageFaults: counters['total_pgmajfault'] ?? 0,
      processes: (await readNumber(join(this.#folder('pids', path), 'pids.current'))) ?? 0,
    }
  }

  #folder(controller: string, path: string): string {
    return join(this.#root, controller, path)
  }

  #present(): Promise<readonly string[]> {
    this.#controllers ??= readdir(this.#root).then((names) => CONTROLLERS.filter((name) => names.includes(name)))
    return this.#controllers
  }

  /** A new cpuset group is empty and takes no process until it has CPUs and memory nodes. */
  async #fillCpuset(path: string): Promise<void> {
    if (!(await this.#present()).includes('cpuset')) return
    const parts = path.split('/').filter((part) => part !== '')
    for (let depth = 1; depth <= parts.length; depth++) {
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        const own = this.#folder('cpuset', join(...parts.slice(0, depth), file))
        if ((await readFile(own, 'utf8')).trim() !== '') continue
        await writeFile(own, await readFile(this.#folder('cpuset', join('/', ...parts.slice(0, depth - 1), file))))
      }
    }
  }
}

/** Containers' own groups go first; a group with processes is refused by the kernel (EBUSY). */
export async function removeTree(folder: string): Promise<void> {
  try {
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory()) await removeTree(join(folder, entry.name))
    await rmdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
