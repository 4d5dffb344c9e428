/** Takes a pod away from the node: its containers, then its volumes and its cgroup, last what was kept for logs. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { possibleCgroupPaths } from '../cgroups/pod-cgroups.ts'
import { killPod } from '../containers/kill-pod.ts'
import { podLogFolder } from '../containers/pod-folders.ts'
import type { WorkerContext } from '../worker-context.ts'
import { followProbes, observePod, publish } from './observe-pod.ts'
import type { PodMemory } from './pod-memory.ts'
import { isTerminal } from './pod-facts.ts'

export type EndOptions = {
  /** Overrides the pod's own grace period (eviction, forced deletion). */
  readonly graceSeconds?: number
  /** The API object is gone: nobody reads a status any more. */
  readonly isGone: boolean
  readonly signal: AbortSignal
}

/** Resolves when no process of the pod is left and its volumes are released. */
export async function endPod(context: WorkerContext, memory: PodMemory, options: EndOptions): Promise<void> {
  const { pod } = memory
  const { uid } = pod.metadata
  const wasTerminal = isTerminal(pod)
  context.probes.stopKilling(uid)
  const before = await observePod(context, memory)
  followProbes(context, memory, before)
  context.probes.stopKilling(uid)
  // Of a pod that this node refuses, the refusal is all there is to tell.
  const isRefused = memory.verdict !== null && context.statuses.get(uid) === undefined
  if (!options.isGone && !wasTerminal && !isRefused) publish(context, memory, before)
  const { killing: alreadyKilling, execs } = memory
  await killPod(context, { pod, state: before, alreadyKilling, execs, ...options })
  const after = await observePod(context, memory)
  context.probes.forgetPod(uid)
  memory.waiting.clear()
  if (!options.isGone && !wasTerminal) publish(context, memory, after, { isDone: true })
  await context.volumes.unmountPod(uid)
  await removeCgroups(context, uid)
  context.images.forgetPod(uid)
}

const CGROUP_TRIES = 20
const CGROUP_RETRY_MS = 50

/** The last process may still be on its way out of the kernel. */
async function removeCgroups(context: WorkerContext, podUid: string): Promise<void> {
  for (const path of possibleCgroupPaths(podUid)) {
    for (let attempt = 1; ; attempt++) {
      try {
        await context.cgroups.remove(path)
        break
      } catch (error) {
        if (attempt === CGROUP_TRIES) throw error
        await context.clock.sleep(CGROUP_RETRY_MS)
      }
    }
  }
}

/** Removes dead containers, sandboxes, logs and the pod's folder: nothing of the pod stays. */
export async function forgetPod(context: WorkerContext, memory: PodMemory): Promise<void> {
  const { pod } = memory
  const { runtime, podLogsDir } = context
  const state = await observePod(context, memory)
  for (const { id } of state.containers) await runtime.removeContainer(id)
  for (const { id } of state.sandboxes) await runtime.removePodSandbox(id)
  await context.volumes.removePodDir(pod.metadata.uid)
  await rm(join(podLogsDir, podLogFolder(pod)), { recursive: true, force: true })
}
