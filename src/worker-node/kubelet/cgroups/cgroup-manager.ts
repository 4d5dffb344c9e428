/** The control groups of pods: what limits and measures them; one contract over cgroup v1 and v2. */

/** Undefined leaves the kernel's default (no limit). */
export type CgroupResources = {
  readonly cpuShares?: number
  readonly cpuQuotaUs?: number
  readonly memoryLimitBytes?: number
  readonly pidsMax?: number
}

export type CgroupUsage = {
  readonly cpuUsageNanoseconds: number
  readonly memoryUsageBytes: number
  readonly memoryWorkingSetBytes: number
  readonly memoryRssBytes: number
  readonly pageFaults: number
  readonly majorPageFaults: number
  readonly processes: number
}

/** Paths are relative to the root of the tree: `/kubepods/burstable/pod<uid>`. */
export interface CgroupManager {
  /** Makes the group and its parents and writes the limits; idempotent. */
  apply(path: string, resources: CgroupResources): Promise<void>
  /** Succeeds for a group that is gone; throws while processes are in it. */
  remove(path: string): Promise<void>
  /** Names of the groups directly below. */
  children(path: string): Promise<string[]>
  /** Null when the group is gone. */
  usage(path: string): Promise<CgroupUsage | null>
}

/** The period over which quotas count, in microseconds (the kernel's and upstream's default). */
export const CPU_PERIOD_US = 100_000
