/** A node for one test: fresh namespaces with a private containerd, in which a program of the test runs; all of it ends with that program. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderContainerdConfig } from '#cluster/nodes/containerd-config.ts'
import { renderCniConfig } from '#worker-node/network/cni-config.ts'
import { busyboxArchive, PAUSE, pauseArchive } from './test-images.ts'

const CGROUPS = '/sys/fs/cgroup'
const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids']
const NEEDED = [
  '/usr/bin/containerd',
  '/usr/bin/crun',
  '/usr/bin/unshare',
  '/usr/lib/cni/ptp',
  '/bin/busybox',
  '/sbin/ip',
]

/** Why no node can be made here, or null. */
export function whyNoNode(): string | null {
  if (process.platform !== 'linux') return 'containers need Linux'
  if (process.getuid?.() !== 0) return 'containers need root'
  const missing = NEEDED.filter((file) => !existsSync(file))
  return missing.length === 0 ? null : `missing: ${missing.join(', ')}`
}

/** Runs `program` (a TypeScript file) inside; answers its exit code and what it printed. `SCRATCH` is its folder. */
export async function runInScratchNode(
  program: string,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scratch-node-'))
  const cgroup = `scratch-${process.pid}`
  try {
    await prepare(folder)
    await joinCgroups(cgroup)
    return await run(folder, cgroup, program)
  } finally {
    await removeCgroups(cgroup)
    await rm(folder, { recursive: true, force: true })
  }
}

async function prepare(folder: string): Promise<void> {
  for (const name of ['containerd', 'cni', 'hosts', 'kubelet', 'logs', 'suite-logs']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'pause.tar'), await pauseArchive())
  await writeFile(join(folder, 'busybox.tar'), await busyboxArchive())
  const config = renderContainerdConfig({
    rootDir: join(folder, 'containerd'),
    hostsDir: join(folder, 'hosts'),
    cniConfigDir: join(folder, 'cni'),
    cniBinDir: '/usr/lib/cni',
    sandboxImage: PAUSE,
    crunPath: '/usr/bin/crun',
    restrictOomScore: true,
  })
  await writeFile(join(folder, 'config.toml'), config)
  const network = renderCniConfig({ podCidr: '10.250.0.0/24', ipamDir: join(folder, 'ipam'), mtu: 1500 })
  await writeFile(join(folder, 'cni', '10-scratch.conflist'), network)
  await writeFile(join(folder, 'init.sh'), initScript(folder))
}

/** Its end is the end of everything inside: it is PID 1 of the namespaces. */
function initScript(folder: string): string {
  return `#!/bin/sh
set -e
mount --make-rprivate /
mount --make-rshared /
mount -t proc proc /proc
umount -R /sys
mount -t sysfs sysfs /sys
${existsSync(join(CGROUPS, 'cgroup.controllers')) ? v2Mounts() : v1Mounts()}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /run/containerd /var/lib/cni
mount -t tmpfs tmpfs /var/lib/cni
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
containerd -c ${folder}/config.toml > ${folder}/containerd.log 2>&1 &
for attempt in $(seq 100); do ctr version > /dev/null 2>&1 && break; sleep 0.05; done
ctr -n k8s.io images import ${folder}/pause.tar > /dev/null
ctr -n k8s.io images import ${folder}/busybox.tar > /dev/null
"$@"
`
}

function v1Mounts(): string {
  const mounts = V1_CONTROLLERS.map(
    (name) => `mkdir ${CGROUPS}/${name} && mount -t cgroup -o ${name} cgroup ${CGROUPS}/${name}`,
  )
  return [
    'mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup',
    ...mounts,
    `mkdir ${CGROUPS}/systemd && mount -t cgroup -o none,name=systemd cgroup ${CGROUPS}/systemd`,
  ].join('\n')
}

function v2Mounts(): string {
  return `mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/init
echo $$ > /sys/fs/cgroup/init/cgroup.procs`
}

async function cgroupFolders(name: string): Promise<string[]> {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return [join(CGROUPS, name)]
  const present = await readdir(CGROUPS)
  return V1_CONTROLLERS.filter((controller) => present.includes(controller)).map((controller) =>
    join(CGROUPS, controller, name),
  )
}

async function joinCgroups(name: string): Promise<void> {
  for (const folder of await cgroupFolders(name)) {
    await mkdir(folder, { recursive: true })
    if (!folder.includes('/cpuset/')) continue
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      await writeFile(join(folder, file), await readFile(join(folder, '..', file)))
  }
}

async function removeCgroups(name: string): Promise<void> {
  for (const folder of await cgroupFolders(name)) await removeTree(folder)
}

/** Processes of the dead namespaces leave their groups a moment after the namespaces' end. */
async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(join(folder, entry.name))
  for (let attempt = 0; ; attempt++) {
    try {
      await rmdir(folder)
      return
    } catch (error) {
      if (attempt === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function run(
  folder: string,
  cgroup: string,
  program: string,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const enter = (await cgroupFolders(cgroup)).map((path) => `echo $$ > ${path}/cgroup.procs`).join('; ')
  const unshare = 'exec unshare --mount --net --uts --ipc --cgroup --pid --fork --kill-child sh'
  const command = `${enter}; ${unshare} ${folder}/init.sh ${process.execPath} ${program}`
  // Its words are for people, not for the test runner that started this one.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const child = spawn('sh', ['-c', command], {
    env: { ...environment, SCRATCH: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
  return { exitCode, output: Buffer.concat(chunks).toString() }
}
