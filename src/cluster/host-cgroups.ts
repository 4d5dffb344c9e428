/** One control group per box (the control plane, each node), so that what a box runs and costs is known and can be ended as a whole. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'

const ROOT = '/sys/fs/cgroup'
const TOP = 'kubets'

/** Folders of a box's group, one for each mounted v1 hierarchy, or one on v2. */
export async function boxGroups(cluster: string, box: string): Promise<string[]> {
  return (await hierarchies()).map((root) => join(root, TOP, cluster, box))
}

export const isUnifiedHierarchy = (): boolean => existsSync(join(ROOT, 'cgroup.controllers'))

/** Root folders of the hierarchies a node uses. The `unified` one beside v1 is left out: crun refuses hybrid mode. */
async function hierarchies(): Promise<string[]> {
  if (isUnifiedHierarchy()) return [ROOT]
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, path, type]) => type === 'cgroup' && path!.startsWith(`${ROOT}/`))
    .map(([, path]) => path!)
}

/** Makes the groups of a box; existing ones are kept. */
export async function createBoxGroups(cluster: string, box: string): Promise<string[]> {
  for (const root of await hierarchies()) {
    let parent = root
    for (const part of [TOP, cluster, box]) {
      const group = join(parent, part)
      await mkdir(group, { recursive: true })
      if (existsSync(join(parent, 'cpuset.cpus')) && !isUnifiedHierarchy()) await inheritCpuset(parent, group)
      if (isUnifiedHierarchy()) await enableControllers(parent)
      parent = group
    }
  }
  return boxGroups(cluster, box)
}

/** Of the default weight: when the machine is busy, what runs on nodes does not starve the control plane. */
const CONTROL_PLANE_CPU_FACTOR = 4

/** Gives a box more of a busy machine than others have. */
export async function raiseCpuWeight(cluster: string, box: string): Promise<void> {
  for (const group of await boxGroups(cluster, box))
    for (const [file, weight] of [
      ['cpu.weight', 100],
      ['cpu.shares', 1024],
    ] as const)
      if (existsSync(join(group, file))) await writeFile(join(group, file), String(weight * CONTROL_PLANE_CPU_FACTOR))
}

/** A new v1 cpuset group is empty, and an empty one takes no process. */
async function inheritCpuset(parent: string, group: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = (await readFile(join(group, file), 'utf8')).trim()
    if (own === '') await writeFile(join(group, file), await readFile(join(parent, file)))
  }
}

/** On v2 children have only the controllers that each parent hands down. */
async function enableControllers(parent: string): Promise<void> {
  const controllers = (await readFile(join(parent, 'cgroup.controllers'), 'utf8')).trim().split(' ')
  for (const controller of controllers.filter((name) => name !== ''))
    await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`)
}

/** Ids of all processes of a box and of the groups below it. */
export async function boxProcesses(cluster: string, box: string): Promise<number[]> {
  const pids = new Set<number>()
  const [group] = (await boxGroups(cluster, box)).filter(
    (path) => /\/(pids|unified|systemd|memory)\//.test(path) || isUnifiedHierarchy(),
  )
  if (group !== undefined) await collectProcesses(group, pids)
  return [...pids]
}

async function collectProcesses(group: string, pids: Set<number>): Promise<void> {
  const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')
  for (const line of text.split('\n')) if (line !== '') pids.add(Number(line))
  for (const child of await childGroups(group)) await collectProcesses(child, pids)
}

async function childGroups(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(group, entry.name))
}

/** Ends every process of a box (no process can hide from its group), then removes the groups. */
export async function endBox(cluster: string, box: string, clock: Clock): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const pids = await boxProcesses(cluster, box)
    if (pids.length === 0) break
    for (const pid of pids) signalProcess(pid, 'SIGKILL')
    await clock.sleep(10)
  }
  for (const group of await boxGroups(cluster, box)) await removeTree(group, clock)
}

/** Removes the cluster's group when all its boxes are gone, and ours when no cluster is left. */
export async function removeClusterGroups(cluster: string, clock: Clock): Promise<void> {
  for (const root of await hierarchies()) {
    await removeTree(join(root, TOP, cluster), clock)
    const top = join(root, TOP)
    if (existsSync(top) && (await childGroups(top)).length === 0) await rmdir(top)
  }
}

async function removeTree(group: string, clock: Clock): Promise<void> {
  if (!existsSync(group)) return
  for (const child of await childGroups(group)) await removeTree(child, clock)
  for (let attempt = 0; ; attempt++) {
    try {
      return await rmdir(group)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOENT') return
      if (code !== 'EBUSY' || attempt >= 100) throw error
      await clock.sleep(10) // Dead processes leave their group a moment later.
    }
  }
}

/** False when the process is already gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
