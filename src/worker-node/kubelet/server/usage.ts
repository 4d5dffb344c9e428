/** What pods and containers use, read from their control groups, with rates computed between two readings. */
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import type { Clock } from '#base/clock.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { CgroupManager, CgroupUsage } from '../cgroups/cgroup-manager.ts'
import { podCgroupPath } from '../cgroups/pod-cgroups.ts'
import { POD_UID_LABEL } from '../runtime/labels.ts'
import type { RuntimeService } from '../runtime/runtime-service.ts'

export type Usage = CgroupUsage & { readonly atMs: number; readonly cpuNanoCores: number }

export type ContainerUsage = { readonly name: string; readonly startedAtMs: number; readonly usage: Usage }

export type PodUsage = { readonly pod: Pod; readonly usage: Usage; readonly containers: readonly ContainerUsage[] }

/** Readings closer together than this give no sensible rate. */
const RATE_MS_MIN = 500

export class UsageReader {
  readonly #cgroups: CgroupManager
  readonly #runtime: RuntimeService
  readonly #clock: Clock
  readonly #last = new Map<string, Usage>()

  constructor(options: { readonly cgroups: CgroupManager; readonly runtime: RuntimeService; readonly clock: Clock }) {
    this.#cgroups = options.cgroups
    this.#runtime = options.runtime
    this.#clock = options.clock
  }

  async pods(pods: readonly Pod[]): Promise<PodUsage[]> {
    const running = (await this.#runtime.listContainers()).filter(({ state }) => state === 'running')
    const seen = new Set<string>()
    const result: PodUsage[] = []
    for (const pod of pods) {
      const path = podCgroupPath(pod)
      const usage = await this.#read(path, seen)
      if (!usage) continue
      const containers: ContainerUsage[] = []
      for (const container of running) {
        if (container.labels[POD_UID_LABEL] !== pod.metadata.uid) continue
        const own = await this.#read(`${path}/${container.id}`, seen)
        if (own) containers.push({ name: container.name, startedAtMs: container.createdAtMs, usage: own })
      }
      result.push({ pod, usage, containers })
    }
    for (const path of this.#last.keys()) if (path !== '/' && !seen.has(path)) this.#last.delete(path)
    return result
  }

  /** The node as a whole; where its group has no numbers (the root of v2) the machine's are taken. */
  async node(): Promise<Usage> {
    const own = await this.#read('/', new Set())
    return own ?? this.#rate('/', await readMachine())
  }

  async #read(path: string, seen: Set<string>): Promise<Usage | null> {
    seen.add(path)
    const usage = await this.#cgroups.usage(path)
    return usage && this.#rate(path, usage)
  }

  #rate(path: string, usage: CgroupUsage): Usage {
    const atMs = this.#clock.now()
    const last = this.#last.get(path)
    if (last && atMs - last.atMs < RATE_MS_MIN) return { ...usage, atMs, cpuNanoCores: last.cpuNanoCores }
    const spent = last ? usage.cpuUsageNanoseconds - last.cpuUsageNanoseconds : 0
    const cpuNanoCores = last ? Math.max(0, Math.round((spent * 1000) / (atMs - last.atMs))) : 0
    const now = { ...usage, atMs, cpuNanoCores }
    this.#last.set(path, now)
    return now
  }
}

async function readMachine(): Promise<CgroupUsage> {
  const ticks = (await readFile('/proc/stat', 'utf8')).split('\n')[0]!.split(/\s+/).slice(1, 4).map(Number)
  const used = os.totalmem() - os.freemem()
  const tickNanoseconds = 10_000_000
  return {
    cpuUsageNanoseconds: ticks.reduce((sum, value) => sum + value, 0) * tickNanoseconds,
    memoryUsageBytes: used,
    memoryWorkingSetBytes: used,
    memoryRssBytes: used,
    pageFaults: 0,
    majorPageFaults: 0,
    processes: 0,
  }
}
