/** Takes a cluster down, running or half gone, and leaves nothing of it on the machine. */
import { rm } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { CONTROL_PLANE, stopControlPlane, stopNode } from './boxes.ts'
import { withRegisterLock } from './cluster-lock.ts'
import { ClusterError, commandLine, forgetState, listClusters, nodeNames, type ClusterState } from './cluster-state.ts'
import { boxProcesses, removeClusterGroups } from './host-cgroups.ts'
import { removeHostNetwork } from './host-network.ts'
import { removeEmptyFolders, restoreNamespaceFolder, takeForwardingMemory } from './machine-settings.ts'

export type DownOptions = {
  readonly state: ClusterState
  /** Keep objects, pods and images for the next `up`. */
  readonly keepData: boolean
  readonly clock: Clock
  readonly progress: (box: string, text: string) => void
}

/**
 * Nodes go first: their agents need not notice that the API server is gone. A step that fails keeps none of the others from being
 * done; then the cluster stays known and its data stay, so that it can be repeated.
 */
export async function takeDown({ state, keepData, clock, progress }: DownOptions): Promise<void> {
  const failures: unknown[] = []
  const attempt = (work: Promise<void>): Promise<unknown> => work.catch((error: unknown) => failures.push(error))
  await Promise.all(
    nodeNames(state).map(async (name) => {
      await attempt(stopNode(state, name, clock))
      progress(name, 'stopped')
    }),
  )
  await attempt(stopControlPlane(state, clock))
  progress(CONTROL_PLANE, 'stopped')
  // Not while another cluster enters itself: the folder it writes to could go as an empty one.
  await withRegisterLock(clock, async () => {
    const isLast = (await runningClusters(state.name)).length === 0
    await attempt(removeHostNetwork(state, isLast && (await takeForwardingMemory())))
    await attempt(removeClusterGroups(state.name, clock))
    if (!keepData && failures.length === 0) await attempt(removeData(state))
    if (isLast) await attempt(restoreNamespaceFolder())
    if (isLast) await attempt(removeEmptyFolders())
  })
  if (failures.length > 0) throw new ClusterError(failureText(state, failures))
}

async function removeData(state: ClusterState): Promise<void> {
  await rm(state.dataDir, { recursive: true, force: true })
  await forgetState(state.name)
}

function failureText({ name }: ClusterState, failures: readonly unknown[]): string {
  const reasons = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
  return `not all of cluster "${name}" could be removed: ${reasons.join('; ')}. Repeat it with: ${commandLine('down', name)}`
}

async function runningClusters(except: string): Promise<string[]> {
  const names = (await listClusters()).filter((name) => name !== except)
  const running = await Promise.all(names.map(async (name) => (await boxProcesses(name, CONTROL_PLANE)).length > 0))
  return names.filter((_, position) => running[position])
}
