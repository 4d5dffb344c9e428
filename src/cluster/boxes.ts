/** Starts and ends the boxes of a cluster on this machine: one process tree for the control plane, one for each node. */
import { spawn } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '#base/clock.ts'
import { buildPauseProgram, PAUSE_IMAGE } from './images/pause-image.ts'
import {
  BoxError,
  CLUSTER_DNS,
  CLUSTER_DOMAIN,
  REGISTRY_PORT,
  hostAddress,
  nodeAddress,
  nodeName,
  nodeNames,
  paths,
  type ClusterState,
} from './cluster-state.ts'
import {
  boxProcesses,
  createBoxGroups,
  endBox,
  isUnifiedHierarchy,
  raiseCpuWeight,
  signalProcess,
} from './host-cgroups.ts'
import { createNodeNetwork, removeNodeNetwork } from './host-network.ts'
import { CONTAINERD_SOCKET, renderContainerdConfig, renderRegistryHosts } from './nodes/containerd-config.ts'
import { crunProgram } from './nodes/crun.ts'
import { renderNodeInit } from './nodes/node-init.ts'
import type { NodeAgentConfig } from './nodes/node-agent-config.ts'
import type { NodeTools } from './system-packages.ts'

export const CONTROL_PLANE = 'control-plane'

/** Grace for an orderly end of the control plane before it is killed; its store loses nothing either way. */
const CONTROL_PLANE_GRACE_MS = 3000

/** In a command line: it may have been started from the source or from a build. */
const CONTROL_PLANE_PROGRAM = /\/bin\/control-plane\.[jt]s/

export const boxNames = (state: ClusterState): string[] => [CONTROL_PLANE, ...nodeNames(state)]

/** The program of a box: built when this is, else its source. */
const entryPoint = (name: string): string =>
  new URL(`../../bin/${name}${extname(import.meta.url)}`, import.meta.url).pathname

/** V8's default lets each process of a busy cluster keep some 50 MiB of garbage; this costs a tenth of its CPU time. */
const YOUNG_GENERATION_MIB = 4

const nodeCommand = (name: string, configPath: string): string[] => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  `--max-semi-space-size=${YOUNG_GENERATION_MIB}`,
  entryPoint(name),
  '--config',
  configPath,
]

/** False when it was running already. */
export async function startControlPlane(state: ClusterState): Promise<boolean> {
  if ((await boxProcesses(state.name, CONTROL_PLANE)).length > 0) return false
  await mkdir(paths.logs(state.dataDir), { recursive: true })
  await createBoxGroups(state.name, CONTROL_PLANE)
  await raiseCpuWeight(state.name, CONTROL_PLANE)
  await startBox(state, CONTROL_PLANE, keepRunning(nodeCommand(CONTROL_PLANE, paths.state(state.dataDir))))
  return true
}

/** False when it was running already. The node agent finds its certificates and kubeconfig in the node's folder. */
export async function startNode(state: ClusterState, number: number, tools: NodeTools): Promise<boolean> {
  const name = nodeName(number)
  if ((await boxProcesses(state.name, name)).length > 0) return false
  const namespace = await createNodeNetwork(state, number)
  const init = await writeNodeFiles(state, number, tools)
  const unshare = ['nsenter', `--net=/run/netns/${namespace}`, 'unshare', '-m', '-u', '-i', '-C', '-p', '-f', init]
  await startBox(state, name, keepRunning(unshare))
  return true
}

async function writeNodeFiles(state: ClusterState, number: number, tools: NodeTools): Promise<string> {
  const name = nodeName(number)
  const folder = paths.node(state.dataDir, name)
  const hostsDir = join(folder, 'registry-hosts')
  await mkdir(join(hostsDir, '_default'), { recursive: true, mode: 0o700 })
  await mkdir(join(folder, 'cni'), { recursive: true })
  const registry = `http://${hostAddress(state)}:${REGISTRY_PORT}`
  await writeFile(join(hostsDir, '_default', 'hosts.toml'), renderRegistryHosts(registry))
  const containerdConfig = join(folder, 'containerd.toml')
  await writeFile(
    containerdConfig,
    renderContainerdConfig({
      rootDir: join(folder, 'containerd'),
      hostsDir,
      cniConfigDir: join(folder, 'cni'),
      cniBinDir: tools.cniBinDir,
      sandboxImage: PAUSE_IMAGE,
      crunPath: await crunProgram(tools, folder),
      restrictOomScore: !(await mayLowerOomScore()),
    }),
  )
  const pausePath = join(folder, 'pause')
  await writeFile(pausePath, buildPauseProgram(process.arch), { mode: 0o755 })
  const agentConfig: NodeAgentConfig = {
    nodeName: name,
    nodeIp: nodeAddress(state, number),
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    certificate: join(folder, 'kubelet.crt'),
    privateKey: join(folder, 'kubelet.key'),
    clientCa: join(paths.pki(state.dataDir), 'ca.crt'),
    clusterDns: CLUSTER_DNS,
    clusterDomain: CLUSTER_DOMAIN,
    podNetwork: state.podCidr,
    cniConfigDir: join(folder, 'cni'),
    runtimeEndpoint: CONTAINERD_SOCKET,
    resolvConf: await upstreamResolvConf(folder),
  }
  const agentConfigPath = join(folder, 'agent.json')
  await writeFile(agentConfigPath, `${JSON.stringify(agentConfig, null, 2)}\n`)
  const init = join(folder, 'init.sh')
  await mkdir(paths.logs(state.dataDir), { recursive: true })
  const script = renderNodeInit({
    name,
    unifiedCgroups: isUnifiedHierarchy(),
    hierarchies: await legacyHierarchies(),
    pausePath,
    containerd: {
      program: tools.containerd,
      config: containerdConfig,
      log: paths.log(state.dataDir, `${name}-containerd`),
    },
    agent: { command: nodeCommand('node-agent', agentConfigPath), log: paths.log(state.dataDir, name) },
  })
  await writeFile(init, script, { mode: 0o755 })
  return init
}

/** The kernel lets only holders of CAP_SYS_RESOURCE lower an oom_score_adj. */
async function mayLowerOomScore(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8')
  const capabilities = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const CAP_SYS_RESOURCE = 24n
  return (capabilities & (1n << CAP_SYS_RESOURCE)) !== 0n
}

/** A resolver on loopback (systemd-resolved) cannot be reached from a node: its own upstream file is used instead. */
async function upstreamResolvConf(folder: string): Promise<string> {
  const own = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  const text = /^nameserver\s+127\./m.test(own)
    ? await readFile('/run/systemd/resolve/resolv.conf', 'utf8').catch(() => own)
    : own
  const path = join(folder, 'resolv.conf')
  await writeFile(path, text)
  return path
}

async function legacyHierarchies(): Promise<{ folder: string; options: string }[]> {
  if (isUnifiedHierarchy()) return []
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, path, type]) => type === 'cgroup' && path!.startsWith('/sys/fs/cgroup/'))
    .map(([, path]) => path!.slice('/sys/fs/cgroup/'.length))
    .map((folder) => ({ folder, options: folder === 'systemd' ? 'none,name=systemd' : folder }))
}

/** Starts again what was killed or crashed; an orderly end (exit code 0) is final. */
function keepRunning(command: readonly string[]): string {
  return `while ! ${command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')}; do sleep 0.2; done`
}

/** Resolves when the box's first process is in its groups: from then on whoever ends the box finds it. */
async function startBox(state: ClusterState, box: string, script: string): Promise<void> {
  const groups = await createBoxGroups(state.name, box)
  const join_ = groups.map((group) => `echo $$ > ${group}/cgroup.procs`).join('\n')
  const log = openSync(paths.log(state.dataDir, box), 'a', 0o600)
  try {
    const child = spawn('sh', ['-c', `set -e\n${join_}\nset +e\necho >&3\nexec 3>&-\n${script}`], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log, 'pipe'],
    })
    const joined = child.stdio[3] as Readable
    await new Promise<void>((resolve, reject) => {
      joined.once('data', () => resolve())
      child.once('error', reject)
      child.once('exit', () => reject(new BoxError(box, 'it could not enter its control groups', state.name)))
    })
    joined.destroy()
    child.unref()
  } finally {
    closeSync(log)
  }
}

export async function stopControlPlane(state: ClusterState, clock: Clock): Promise<void> {
  for (const pid of await boxProcesses(state.name, CONTROL_PLANE)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (CONTROL_PLANE_PROGRAM.test(command) && !command.startsWith('sh\0')) signalProcess(pid, 'SIGTERM')
  }
  const deadline = clock.monotonic() + CONTROL_PLANE_GRACE_MS
  while (clock.monotonic() < deadline && (await boxProcesses(state.name, CONTROL_PLANE)).length > 0)
    await clock.sleep(10)
  await endBox(state.name, CONTROL_PLANE, clock)
}

/** Ends everything in the node at once, as a power cut would. */
export async function stopNode(state: ClusterState, name: string, clock: Clock): Promise<void> {
  await endBox(state.name, name, clock)
  await removeNodeNetwork(state, name)
}
