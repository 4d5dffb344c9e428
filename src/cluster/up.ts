/** Brings a cluster up on this machine, whatever state it is in: new, kept, half running after a crash, or running. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, statfs } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { CONTROL_PLANE, startControlPlane, startNode } from './boxes.ts'
import { withRegisterLock } from './cluster-lock.ts'
import {
  BoxError,
  ClusterError,
  defaultDataDir,
  loadState,
  nodeNames,
  paths,
  saveState,
  type ClusterState,
} from './cluster-state.ts'
import { decideState, type ClusterOptions } from './decide-state.ts'
import { takeDown } from './down.ts'
import { boxProcesses } from './host-cgroups.ts'
import { createHostNetwork, isForwarding } from './host-network.ts'
import { storePauseImage } from './images/build-image.ts'
import { ImageStore } from './images/image-store.ts'
import { PAUSE_IMAGE } from './images/pause-image.ts'
import { writePki } from './pki.ts'
import { createProbe, isApiReady, isNodeReady, listNodes, waitFor } from './probe.ts'
import { rememberSettings } from './machine-settings.ts'
import { ensureNodeTools } from './system-packages.ts'

export type UpOptions = ClusterOptions & {
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

const API_READY_LIMIT_MS = 30_000
const NODES_READY_LIMIT_MS = 60_000
/** Enough for one stack trace. */
const LOG_LINES_SHOWN = 12
const FREE_BYTES_MIN = 64 * 1024 * 1024

/** A start that fails leaves nothing of a new cluster behind, and a known one as it was: stopped, with its data. */
export async function bringUp(options: UpOptions): Promise<UpResult> {
  const known = await loadState(options.name)
  // A folder that this machine does not know may hold the cluster of another one: a start that fails leaves it as it was.
  const isNew = known === null && !existsSync(paths.state(options.dataDir ?? defaultDataDir(options.name)))
  const wasRunning = known !== null && (await boxProcesses(known.name, CONTROL_PLANE)).length > 0
  try {
    return await start(options)
  } catch (error) {
    const state = wasRunning ? null : await loadState(options.name)
    if (state === null) throw error
    const log = isNew ? await lastLogLines(state, error instanceof BoxError ? error.box : CONTROL_PLANE) : ''
    const unfinished = await takeDown({ state, keepData: !isNew, clock: options.clock, progress: () => {} }).then(
      () => '',
      (failure: unknown) => `\n${failure instanceof Error ? failure.message : String(failure)}`,
    )
    if (log === '' && unfinished === '') throw error
    const reason = error instanceof BoxError && log !== '' ? error.reason : String((error as Error).message)
    throw new ClusterError(`${reason}${log}${unfinished}`)
  }
}

/** What the box said last: after the failed start of a new cluster its log is gone. */
async function lastLogLines(state: ClusterState, box: string): Promise<string> {
  const text = await readFile(paths.log(state.dataDir, box), 'utf8').catch(() => '')
  const lines = text.trim().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
  return lines === '' ? '' : `\nlast lines of the log of ${box}:\n${lines}`
}

async function start(options: UpOptions): Promise<UpResult> {
  const { clock, progress } = options
  const tools = await ensureNodeTools({ install: options.install, say: (text) => progress('machine', text) })
  const started = clock.monotonic()
  const state = await withRegisterLock(clock, () => registerState(options))
  await rememberSettings({ isForwarding: await isForwarding() })
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
    () => new BoxError(CONTROL_PLANE, 'the API server does not answer', state.name),
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
  await waitFor(allReady, () => notReady(state, ready), NODES_READY_LIMIT_MS, clock)
  const wasRunning = !startedControlPlane && !startedNodes.some(Boolean)
  return { state, wasRunning, apiReadyMs, nodesReadyMs: clock.monotonic() - started }
}

/** From here on the port and the networks of the cluster are its own. */
async function registerState(options: UpOptions): Promise<ClusterState> {
  const state = await decideState(options)
  await mkdir(state.dataDir, { recursive: true, mode: 0o700 })
  await checkDisk(state.dataDir)
  await saveState(state)
  return state
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

function notReady(state: ClusterState, ready: ReadonlySet<string>): BoxError {
  const late = nodeNames(state).filter((name) => !ready.has(name))
  return new BoxError(late[0]!, `not ready within ${NODES_READY_LIMIT_MS / 1000} s: ${late.join(', ')}`, state.name)
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** Throws ClusterError where real nodes cannot be. */
export function checkMachine(): void {
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
