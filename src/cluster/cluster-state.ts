/** What a cluster on this machine is made of, kept in its data folder so that every later command and a reboot find it again. */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Format of the data folder; a newer one is refused. */
export const DATA_FORMAT = 1

/** Where the machine remembers its clusters by name. */
const REGISTER_DIR = '/var/lib/kubets/clusters'
const DEFAULT_DATA_DIR = '/var/lib/kubets/data'

export type ClusterState = {
  readonly format: number
  readonly name: string
  readonly dataDir: string
  /** Port of the API server on this machine. */
  readonly port: number
  readonly nodes: number
  /** Third octet of the node network 172.31.X.0/24, and 244 minus a number for the pods: distinct for each cluster. */
  readonly subnet: number
  readonly podCidr: string
  /** Values of these flags of the API server; absent where a cluster has the defaults. */
  readonly runtimeConfig?: readonly string[]
  readonly featureGates?: readonly string[]
}

/** Besides upstream's defaults, as kubeadm has it: kubelets keep to what is theirs. */
export const ADMISSION = { enabled: ['NodeRestriction'] }
export const SERVICE_CIDR = '10.96.0.0/16'
export const CLUSTER_DNS = '10.96.0.10'
export const CLUSTER_DOMAIN = 'cluster.local'
/** The cluster's own image registry on the node network. */
export const REGISTRY_PORT = 5000

export class ClusterError extends Error {}

/** What is wrong with one box; the way out is its log. */
export class BoxError extends ClusterError {
  readonly box: string
  /** Without the way out. */
  readonly reason: string
  constructor(box: string, reason: string, cluster: string) {
    super(`${reason}; see: ${commandLine(`logs ${box}`, cluster)}`)
    this.box = box
    this.reason = reason
  }
}

export const DEFAULT_NAME = 'kubets'

/** `kubets logs node-1 --name mine`, as a user would type it for that cluster. */
export const commandLine = (command: string, cluster: string): string =>
  `kubets ${command}${cluster === DEFAULT_NAME ? '' : ` --name ${cluster}`}`

const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/

export function checkClusterName(name: string): void {
  if (!NAME_PATTERN.test(name))
    throw new ClusterError(
      `"${name}" cannot name a cluster: use up to 32 lower-case letters, digits and '-', with a letter or digit at both ends`,
    )
}

export const defaultDataDir = (name: string): string => join(DEFAULT_DATA_DIR, name)
export const hostAddress = (state: ClusterState): string => `172.31.${state.subnet}.1`
export const nodeName = (number: number): string => `node-${number}`
export const nodeNames = (state: ClusterState): string[] =>
  Array.from({ length: state.nodes }, (_, position) => nodeName(position + 1))
/** Addresses of nodes start at .11, which leaves room for control planes. */
export const nodeAddress = (state: ClusterState, number: number): string => `172.31.${state.subnet}.${10 + number}`

export const paths = {
  state: (dataDir: string): string => join(dataDir, 'cluster.json'),
  pki: (dataDir: string): string => join(dataDir, 'pki'),
  store: (dataDir: string): string => join(dataDir, 'store'),
  images: (dataDir: string): string => join(dataDir, 'images'),
  kubeconfig: (dataDir: string): string => join(dataDir, 'admin.kubeconfig'),
  logs: (dataDir: string): string => join(dataDir, 'logs'),
  log: (dataDir: string, box: string): string => join(dataDir, 'logs', `${box}.log`),
  node: (dataDir: string, node: string): string => join(dataDir, 'nodes', node),
}

/**
 * The state of a cluster that exists (running or kept), or null. A cluster whose data folder was removed under it is still known: it
 * has to be taken down.
 */
export async function loadState(name: string): Promise<ClusterState | null> {
  const file = join(REGISTER_DIR, `${name}.json`)
  const register = await readOptional(file)
  if (register === null) return null
  const remembered = readJson(register, file)
  const text = await readOptional(paths.state(remembered.dataDir))
  return text === null ? remembered : parseState(text, remembered.dataDir)
}

/** Throws ClusterError for a folder of a newer version or one that is damaged. */
export function parseState(text: string, dataDir: string): ClusterState {
  const state = readJson(text, paths.state(dataDir))
  if (state.format > DATA_FORMAT)
    throw new ClusterError(
      `${dataDir} was written by a newer kubets (format ${state.format}, this one knows ${DATA_FORMAT}). Use that version, or another --data-dir.`,
    )
  return state
}

function readJson(text: string, file: string): ClusterState {
  try {
    return JSON.parse(text) as ClusterState
  } catch {
    throw new ClusterError(`${file} is damaged: restore it, or remove it with the rest of the cluster`)
  }
}

export async function saveState(state: ClusterState): Promise<void> {
  const text = `${JSON.stringify(state, null, 2)}\n`
  await writeAtomically(paths.state(state.dataDir), text)
  await writeAtomically(join(REGISTER_DIR, `${state.name}.json`), text)
}

/** Forgets the cluster's name; its data folder is another matter. Leaves no empty folder behind. */
export async function forgetState(name: string): Promise<void> {
  await rm(join(REGISTER_DIR, `${name}.json`), { force: true })
}

/** Names of all clusters this machine knows, sorted. */
export async function listClusters(): Promise<string[]> {
  const files = await readdir(REGISTER_DIR).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -5))
    .toSorted()
}

export async function writeAtomically(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, text, { mode })
  await rename(temporary, path)
}

async function readOptional(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}
