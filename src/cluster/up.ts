/** Brings a cluster up on this machine, whatever state it is in: new, kept, half running after a crash, or running. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, statfs } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { CONTROL_PLANE, boxNames, startControlPlane, startNode } from './boxes.ts'
import {
  ClusterError,
  DATA_FORMAT,
  checkClusterName,
  defaultDataDir,
  listClusters,
  loadState,
  nodeName,
  nodeNames,
  parseState,
  paths,
  saveState,
  type ClusterState,
} from './cluster-state.ts'
import { takeDown } from './down.ts'
import { boxProcesses } from './host-cgroups.ts'
import { createHostNetwork, isForwarding, usedSubnets } from './host-network.ts'
import { storePauseImage } from './images/build-image.ts'
import { ImageStore } from './images/image-store.ts'
import { PAUSE_IMAGE } from './images/pause-image.ts'
import { writePki } from './pki.ts'
import { createProbe, isApiReady, isNodeReady, isPortTaken, listNodes, waitFor } from './probe.ts'
import { rememberForwarding } from './machine-settings.ts'
import { ensureNodeTools } from './system-packages.ts'

export type UpOptions = {
  readonly name: string
  /** Undefined: what the cluster has, or three. */
  readonly nodes: number | undefined
  readonly dataDir: string | undefined
  readonly port: number | undefined
  readonly install: boolean
  readonly clock: Clock
  /** Progress of one box: `control-plane` is `starting`, `ready`, … */
  readonly progress: (box: string, text: string) => void
}

export type UpResult = {
  readonly state: ClusterState
  /** Nothing had to be started. */
  readonly wasRunning: boolean
  readonly apiReadyMs: number
  readonly nodesReadyMs: number
}

const NODES_DEFAULT = 3
/** Addresses .11 to .110 of the node network. */
const NODES_MAX = 100
const PORT_DEFAULT = 6443
const API_READY_LIMIT_MS = 30_000
const NODES_READY_LIMIT_MS = 60_000
/** Enough for one stack trace. */
const LOG_LINES_SHOWN = 12
const FREE_BYTES_MIN = 64 * 1024 * 1024

/** A start that fails leaves nothing of a new cluster behind, and a known one as it was: stopped, with its data. */
export async function bringUp(options: UpOptions): Promise<UpResult> {
  checkMachine()
  checkClusterName(options.name)
  const known = await loadState(options.name)
  // A folder that this machine does not know may hold the cluster of another one: a start that fails leaves it as it was.
  const isNew = known === null && !existsSync(paths.state(options.dataDir ?? defaultDataDir(options.name)))
  const wasRunning = known !== null && (await boxProcesses(known.name, CONTROL_PLANE)).length > 0
  try {
    return await start(options)
  } catch (error) {
    const state = wasRunning ? null : await loadState(options.name)
    if (state === null) throw error
    const logs = isNew ? await lastLogLines(state) : ''
    await takeDown({ state, keepData: !isNew, clock: options.clock, progress: () => {} })
    throw new ClusterError(`${(error as Error).message}${logs}`)
  }
}

/** What the control plane said last: after a failed start its log may be gone. */
async function lastLogLines(state: ClusterState): Promise<string> {
  const text = await readFile(paths.log(state.dataDir, CONTROL_PLANE), 'utf8').catch(() => '')
  const lines = text.trim().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
  return lines === '' ? '' : `\nlast lines of its log:\n${lines}`
}

async function start(options: UpOptions): Promise<UpResult> {
  const { clock, progress } = options
  const tools = await ensureNodeTools({ install: options.install, say: (text) => progress('machine', text) })
  const started = clock.monotonic()
  const state = await decideState(options)
  await mkdir(state.dataDir, { recursive: true, mode: 0o700 })
  await checkDisk(state.dataDir)
  await saveState(state)
  if (!(await isForwarding())) await rememberForwarding()
  await allDone([writePki(state, clock), ensurePauseImage(state), createHostNetwork(state)])
  const startedAtMs = clock.now()
  const sayStarting = async (box: string): Promise<void> => {
    if ((await boxProcesses(state.name, box)).length === 0) progress(box, 'starting')
  }
  await sayStarting(CONTROL_PLANE)
  const [startedControlPlane, ...startedNodes] = await allDone([
    startControlPlane(state),
    ...nodeNames(state).map(async (name, position) => {
      await sayStarting(name)
      return startNode(state, position + 1, tools)
    }),
  ])
  const startedNow = new Set(nodeNames(state).filter((_, position) => startedNodes[position]))
  const probe = await createProbe(state)
  await waitFor(
    () => isApiReady(probe),
    () => `the API server does not answer; see: kubets logs ${CONTROL_PLANE}`,
    API_READY_LIMIT_MS,
    clock,
  )
  const apiReadyMs = clock.monotonic() - started
  progress(CONTROL_PLANE, `ready after ${seconds(apiReadyMs)}`)
  const ready = new Set<string>()
  const allReady = async (): Promise<boolean> => {
    for (const node of await listNodes(probe)) {
      const name = node.metadata.name
      if (ready.has(name) || !isNodeReady(node, startedNow.has(name) ? startedAtMs : 0)) continue
      ready.add(name)
      progress(name, `ready after ${seconds(clock.monotonic() - started)}`)
    }
    return nodeNames(state).every((name) => ready.has(name))
  }
  await waitFor(allReady, () => notReadyText(state, ready), NODES_READY_LIMIT_MS, clock)
  const wasRunning = !startedControlPlane && !startedNodes.some(Boolean)
  return { state, wasRunning, apiReadyMs, nodesReadyMs: clock.monotonic() - started }
}

/** Like Promise.all, but a failure waits for the others: what they still start would escape the clean-up. */
async function allDone<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(works)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results.map((result) => (result as PromiseFulfilledResult<T>).value)
}

async function ensurePauseImage(state: ClusterState): Promise<void> {
  const images = new ImageStore(paths.images(state.dataDir))
  if (!(await images.list()).includes(PAUSE_IMAGE)) await storePauseImage(images)
}

function notReadyText(state: ClusterState, ready: ReadonlySet<string>): string {
  const late = nodeNames(state).filter((name) => !ready.has(name))
  return `not ready within ${NODES_READY_LIMIT_MS / 1000} s: ${late.join(', ')}; see: kubets logs ${late[0] ?? nodeName(1)}`
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

function checkMachine(): void {
  if (process.platform !== 'linux')
    throw new ClusterError(
      'real nodes need Linux: run this in a Linux machine, or start only the API server with: kubets api',
    )
  if (process.getuid?.() !== 0)
    throw new ClusterError(
      'real nodes need root (namespaces, mounts, nftables): run this as root, or start only the API server with: kubets api',
    )
}

async function checkDisk(dataDir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir)
  if (bavail * bsize < FREE_BYTES_MIN)
    throw new ClusterError(
      `the disk of ${dataDir} is full: free some space (at least 64 MiB), or give another folder with --data-dir`,
    )
}

/** The state that is there, with what the options add; or a new one that clashes with no other cluster. */
async function decideState(options: UpOptions): Promise<ClusterState> {
  const own = await loadState(options.name)
  if (own === null) await checkNoOthersFolder(options)
  const known = own ?? (await adoptFolder(options))
  if (known !== null) return adjustState(known, options)
  const nodes = options.nodes ?? NODES_DEFAULT
  checkNodes(nodes)
  await checkUnusedFolder(options.dataDir ?? defaultDataDir(options.name))
  const others = await otherStates(options.name)
  const port = await choosePort(options.port, others)
  const subnet = await chooseSubnet(others)
  return {
    format: DATA_FORMAT,
    name: options.name,
    dataDir: options.dataDir ?? defaultDataDir(options.name),
    port,
    nodes,
    subnet,
    podCidr: `10.${244 - (subnet - SUBNET_FIRST)}.0.0/16`,
  }
}

/** A data folder that another machine, or an earlier life of this one, left. */
async function adoptFolder(options: UpOptions): Promise<ClusterState | null> {
  const dataDir = options.dataDir ?? defaultDataDir(options.name)
  const file = paths.state(dataDir)
  if (!existsSync(file)) return null
  return { ...parseState(await readFile(file, 'utf8'), dataDir), name: options.name, dataDir }
}

/** `down` removes the folder: two clusters never share one. */
async function checkNoOthersFolder(options: UpOptions): Promise<void> {
  const dataDir = options.dataDir ?? defaultDataDir(options.name)
  const owner = (await otherStates(options.name)).find((other) => other.dataDir === dataDir)
  if (owner !== undefined)
    throw new ClusterError(`${dataDir} holds the data of cluster "${owner.name}": give another folder with --data-dir`)
}

/** `down` removes the folder with all that is in it: what a user has there is never taken for ours. */
async function checkUnusedFolder(dataDir: string): Promise<void> {
  const entries = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') throw new ClusterError(`${dataDir} is no folder: give another one with --data-dir`)
    throw error
  })
  if (entries.length > 0)
    throw new ClusterError(`${dataDir} is not empty and holds no cluster: give a new or empty folder with --data-dir`)
}

async function adjustState(state: ClusterState, options: UpOptions): Promise<ClusterState> {
  if (options.dataDir !== undefined && options.dataDir !== state.dataDir)
    throw new ClusterError(
      `cluster "${state.name}" has its data in ${state.dataDir}; take it down before you give it another --data-dir`,
    )
  const isRunning = (await boxProcesses(state.name, CONTROL_PLANE)).length > 0
  if (isRunning && options.port !== undefined && options.port !== state.port)
    throw new ClusterError(
      `cluster "${state.name}" runs on port ${state.port}; take it down (kubets down --keep-data) before you give it another one`,
    )
  const nodes = options.nodes ?? state.nodes
  checkNodes(nodes)
  if (nodes < state.nodes)
    throw new ClusterError(`cluster "${state.name}" has ${state.nodes} nodes; fewer are not possible while it exists`)
  const port = options.port ?? state.port
  if (!isRunning) await checkPort(port)
  return { ...state, nodes, port }
}

function checkNodes(nodes: number): void {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > NODES_MAX)
    throw new ClusterError(`--nodes ${nodes}: 1 to ${NODES_MAX} are possible`)
}

async function otherStates(name: string): Promise<ClusterState[]> {
  const names = (await listClusters()).filter((other) => other !== name)
  return (await Promise.all(names.map((other) => loadState(other)))).filter((state) => state !== null)
}

async function checkPort(port: number): Promise<void> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new ClusterError(`--port ${port}: not a port`)
  if (await isPortTaken('127.0.0.1', port))
    throw new ClusterError(`port ${port} is in use by another program: give another one with --port`)
}

/** The asked one, or the first that neither another cluster nor another program has. */
async function choosePort(asked: number | undefined, others: readonly ClusterState[]): Promise<number> {
  if (asked !== undefined) {
    await checkPort(asked)
    return asked
  }
  const taken = new Set(others.map(({ port }) => port))
  for (let port = PORT_DEFAULT; port < PORT_DEFAULT + 100; port++)
    if (!taken.has(port) && !(await isPortTaken('127.0.0.1', port))) return port
  throw new ClusterError(`no port from ${PORT_DEFAULT} to ${PORT_DEFAULT + 99} is free: give one with --port`)
}

/** Node networks are 172.31.64.0/24 to 172.31.223.0/24; each has a pod network of its own beside it. */
const SUBNET_FIRST = 64
const SUBNETS = 160

async function chooseSubnet(others: readonly ClusterState[]): Promise<number> {
  const used = await usedSubnets()
  for (const { subnet } of others) used.add(subnet)
  for (let subnet = SUBNET_FIRST; subnet < SUBNET_FIRST + SUBNETS; subnet++) if (!used.has(subnet)) return subnet
  throw new ClusterError('all node networks from 172.31.64.0/24 to 172.31.223.0/24 are in use on this machine')
}

/** Boxes without any process, of a cluster that should run. */
export async function missingBoxes(state: ClusterState): Promise<string[]> {
  const counts = await Promise.all(
    boxNames(state).map(async (box) => ({ box, count: (await boxProcesses(state.name, box)).length })),
  )
  return counts.filter(({ count }) => count === 0).map(({ box }) => box)
}
