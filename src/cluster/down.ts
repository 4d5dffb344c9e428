/** Takes a cluster down, running or half gone, and leaves nothing of it on the machine. */
import { rm } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { CONTROL_PLANE, stopControlPlane, stopNode } from './boxes.ts'
import { withRegisterLock } from './cluster-lock.ts'
import { forgetState, listClusters, nodeNames, type ClusterState } from './cluster-state.ts'
import { boxProcesses, removeClusterGroups } from './host-cgroups.ts'
import { removeHostNetwork } from './host-network.ts'
import { removeEmptyFolders, takeForwardingMemory } from './machine-settings.ts'

export type DownOptions = {
  readonly state: ClusterState
  /** Keep objects, pods and images for the next `up`. */
  readonly keepData: boolean
  readonly clock: Clock
  readonly progress: (box: string, text: string) => void
}

/** Nodes go first: their agents need not notice that the API server is gone. Safe to repeat after a failure. */
export async function takeDown({ state, keepData, clock, progress }: DownOptions): Promise<void> {
  await Promise.all(
    nodeNames(state).map(async (name) => {
      await stopNode(state, name, clock)
      progress(name, 'stopped')
    }),
  )
  await stopControlPlane(state, clock)
  progress(CONTROL_PLANE, 'stopped')
  await withRegisterLock(clock, () => removeFromMachine(state, keepData, clock))
}

/** Not while another cluster enters itself: the folder it writes to could go as an empty one. */
async function removeFromMachine(state: ClusterState, keepData: boolean, clock: Clock): Promise<void> {
  const isLast = (await runningClusters(state.name)).length === 0
  await removeHostNetwork(state, isLast && (await takeForwardingMemory()))
  await removeClusterGroups(state.name, clock)
  if (!keepData) {
    await rm(state.dataDir, { recursive: true, force: true })
    await forgetState(state.name)
  }
  if (isLast) await removeEmptyFolders()
}

async function runningClusters(except: string): Promise<string[]> {
  const names = (await listClusters()).filter((name) => name !== except)
  const running = await Promise.all(names.map(async (name) => (await boxProcesses(name, CONTROL_PLANE)).length > 0))
  return names.filter((_, position) => running[position])
}
