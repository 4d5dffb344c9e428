/** Stands in where no control groups can be had (unprivileged nodes, simulation): no limits, no measurements. */
import type { CgroupManager } from './cgroup-manager.ts'

export const NO_CGROUPS: CgroupManager = {
  apply: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  children: () => Promise.resolve([]),
  usage: () => Promise.resolve(null),
}
