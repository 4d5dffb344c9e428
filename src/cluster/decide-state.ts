/** What a cluster that is to come up is made of: the state that its data folder holds, or a new one that clashes with no other. */
import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { CONTROL_PLANE } from './boxes.ts'
import {
  ClusterError,
  commandLine,
  DATA_FORMAT,
  defaultDataDir,
  listClusters,
  loadState,
  parseState,
  paths,
  type ClusterState,
} from './cluster-state.ts'
import { boxProcesses } from './host-cgroups.ts'
import { parseFeatureGates } from './feature-gates-flag.ts'
import { usedSubnets } from './host-network.ts'
import { isPortTaken } from './probe.ts'
import { readRuntimeConfig } from './runtime-config-flag.ts'

/** What a user may decide. */
export type ClusterOptions = {
  readonly name: string
  /** Undefined: what the cluster has, or three. */
  readonly nodes: number | undefined
  readonly dataDir: string | undefined
  readonly port: number | undefined
  /** Undefined: as the cluster had them. */
  readonly runtimeConfig?: readonly string[] | undefined
  readonly featureGates?: readonly string[] | undefined
}

const NODES_DEFAULT = 3
/** Addresses .11 to .110 of the node network. */
const NODES_MAX = 100
const PORT_DEFAULT = 6443

/** The state that is there, with what the options add; or a new one that clashes with no other cluster. */
export async function decideState(options: ClusterOptions): Promise<ClusterState> {
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
    ...apiFlags(options),
  }
}

/** A data folder that another machine, or an earlier life of this one, left. Its node network is in its certificates and objects. */
async function adoptFolder(options: ClusterOptions): Promise<ClusterState | null> {
  const dataDir = options.dataDir ?? defaultDataDir(options.name)
  const file = paths.state(dataDir)
  if (!existsSync(file)) return null
  const state = parseState(await readFile(file, 'utf8'), dataDir)
  const owner = (await otherStates(options.name)).find(({ subnet }) => subnet === state.subnet)
  if (owner !== undefined)
    throw new ClusterError(
      `${dataDir} holds a cluster on the node network 172.31.${state.subnet}.0/24, which cluster "${owner.name}" has: take that one down first (${commandLine('down', owner.name)})`,
    )
  return { ...state, name: options.name, dataDir }
}

/** `down` removes the folder: two clusters never share one. */
async function checkNoOthersFolder(options: ClusterOptions): Promise<void> {
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

const isChanged = (asked: readonly string[] | undefined, has: readonly string[] = []): boolean =>
  asked !== undefined && asked.join() !== has.join()

async function adjustState(state: ClusterState, options: ClusterOptions): Promise<ClusterState> {
  if (options.dataDir !== undefined && options.dataDir !== state.dataDir)
    throw new ClusterError(
      `cluster "${state.name}" has its data in ${state.dataDir}; only a new one can have another --data-dir (this one is removed with: ${commandLine('down', state.name)})`,
    )
  const isRunning = (await boxProcesses(state.name, CONTROL_PLANE)).length > 0
  if (
    isRunning &&
    (isChanged(options.runtimeConfig, state.runtimeConfig) || isChanged(options.featureGates, state.featureGates))
  )
    throw new ClusterError(
      `cluster "${state.name}" runs with other --runtime-config or --feature-gates; take it down (${commandLine('down --keep-data', state.name)}) before you change them`,
    )
  if (isRunning && options.port !== undefined && options.port !== state.port)
    throw new ClusterError(
      `cluster "${state.name}" runs on port ${state.port}; take it down (${commandLine('down --keep-data', state.name)}) before you give it another one`,
    )
  const nodes = options.nodes ?? state.nodes
  checkNodes(nodes)
  if (nodes < state.nodes)
    throw new ClusterError(`cluster "${state.name}" has ${state.nodes} nodes; fewer are not possible while it exists`)
  const port = options.port ?? state.port
  if (!isRunning) await checkPort(port)
  return { ...state, ...apiFlags(options), nodes, port }
}

/** Checked before they are kept: a control plane that cannot start with them must not come to have them. */
function apiFlags({
  runtimeConfig,
  featureGates,
}: ClusterOptions): Partial<Pick<ClusterState, 'runtimeConfig' | 'featureGates'>> {
  readRuntimeConfig(runtimeConfig, parseFeatureGates(featureGates ?? []))
  return {
    ...(runtimeConfig === undefined ? {} : { runtimeConfig }),
    ...(featureGates === undefined ? {} : { featureGates }),
  }
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

/** Node networks are 172.31.64.0/24 to 172.31.211.0/24; each has a pod network of its own: 10.244.0.0/16 down to 10.97.0.0/16. */
const SUBNET_FIRST = 64
/** The next pod network would be 10.96.0.0/16, that of Services. */
const SUBNETS = 148

async function chooseSubnet(others: readonly ClusterState[]): Promise<number> {
  const used = await usedSubnets()
  for (const { subnet } of others) used.add(subnet)
  for (let subnet = SUBNET_FIRST; subnet < SUBNET_FIRST + SUBNETS; subnet++) if (!used.has(subnet)) return subnet
  throw new ClusterError('all node networks from 172.31.64.0/24 to 172.31.211.0/24 are in use on this machine')
}
