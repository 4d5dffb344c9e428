/** Finds out which kind of control groups this machine has. */
import { access } from 'node:fs/promises'
import type { CgroupManager } from './cgroup-manager.ts'
import { CgroupV1 } from './cgroup-v1.ts'
import { CgroupV2 } from './cgroup-v2.ts'
import { NO_CGROUPS } from './no-cgroups.ts'

export async function selectCgroupManager(root = '/sys/fs/cgroup'): Promise<CgroupManager> {
  const exists = (name: string): Promise<boolean> =>
    access(`${root}/${name}`).then(
      () => true,
      () => false,
    )
  if (await exists('cgroup.controllers')) return new CgroupV2(root)
  return (await exists('memory')) ? new CgroupV1(root) : NO_CGROUPS
}
