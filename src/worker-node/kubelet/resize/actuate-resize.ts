/** Gives running containers the resources that the node promised: pod cgroup and runtime, in an order that the kernel accepts. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { CgroupResources } from '../cgroups/cgroup-manager.ts'
import { podCgroupPath } from '../cgroups/pod-cgroups.ts'
import { containerResources, podCgroupResources } from '../containers/resources.ts'
import type { PodMemory } from '../pods/pod-memory.ts'
import type { PodState } from '../pods/pod-state.ts'
import { quantityValue } from '../quantities.ts'
import type { WorkerContext } from '../worker-context.ts'
import { planResize, withActualResources, type ResizeStep } from './actual-resources.ts'
import { noteActuated } from './actuated.ts'
import { generationOf, resizeMessage } from './resize-state.ts'

/** While containers change, the pod's group has to hold the larger of before and after: no child may have more than its parent. */
export function cgroupDuringResize(pod: Pod, state: PodState): CgroupResources {
  const wanted = podCgroupResources(pod)
  if (planResize(pod, state).length === 0) return wanted
  const current = podCgroupResources(withActualResources(pod, state))
  const largest = (name: keyof CgroupResources): object =>
    wanted[name] === undefined ? {} : { [name]: Math.max(wanted[name], current[name] ?? 0) }
  return {
    ...largest('cpuShares'),
    ...largest('cpuQuotaUs'),
    ...largest('memoryLimitBytes'),
  }
}

/** After containers to be restarted were stopped. A problem is told as the condition's error and tried again with the next round. */
export async function actuateResize(context: WorkerContext, memory: PodMemory, state: PodState): Promise<boolean> {
  const { pod } = memory
  const steps = planResize(pod, state).filter(({ needsRestart }) => !needsRestart)
  if (steps.length > 0 && !memory.resize.inProgress) noteProgress(memory, null)
  try {
    await checkMemory(context, pod, state, steps)
    for (const { container, id } of steps) {
      await context.runtime.updateContainerResources(id, containerResources(pod, container, context.memoryCapacity))
      noteActuated(context.actuated, pod.metadata.uid, id, container)
    }
    await context.cgroups.apply(podCgroupPath(pod), podCgroupResources(pod))
    if (memory.resize.inProgress?.error) noteProgress(memory, null)
    return true
  } catch (error) {
    const { message } = error as Error
    const generation = memory.resize.inProgress?.generation ?? generationOf(pod)
    if (memory.resize.inProgress?.error !== message)
      context.event(
        pod,
        'Warning',
        'ResizeError',
        resizeMessage('Pod resize error', pod, { generation, error: message }),
      )
    noteProgress(memory, message)
    return false
  }
}

/** What the node promised is in force. */
export function finishResize(context: WorkerContext, memory: PodMemory, state: PodState): void {
  const { pod, resize } = memory
  if (!resize.inProgress || resize.inProgress.error !== null || planResize(pod, state).length > 0) return
  const { generation } = resize.inProgress
  memory.resize = { ...resize, inProgress: null }
  context.event(pod, 'Normal', 'ResizeCompleted', resizeMessage('Pod resize completed', pod, { generation }))
}

function noteProgress(memory: PodMemory, error: string | null): void {
  const generation = memory.resize.inProgress?.generation ?? generationOf(memory.pod)
  memory.resize = { ...memory.resize, inProgress: { generation, error } }
}

/** A limit below what is in use would kill: it is refused until less is used. */
async function checkMemory(
  context: WorkerContext,
  pod: Pod,
  state: PodState,
  steps: readonly ResizeStep[],
): Promise<void> {
  const problems: string[] = []
  const check = async (what: string, path: string, limitBytes: number): Promise<void> => {
    const used = (await context.cgroups.usage(path))?.memoryUsageBytes ?? 0
    if (used >= limitBytes)
      problems.push(`attempting to set ${what} memory limit (${limitBytes}) below current usage (${used})`)
  }
  const path = podCgroupPath(pod)
  const podLimit = podCgroupResources(pod).memoryLimitBytes
  const before = podCgroupResources(withActualResources(pod, state)).memoryLimitBytes ?? Infinity
  if (podLimit !== undefined && podLimit < before) await check('pod', path, podLimit)
  for (const { container, id, difference, actual } of steps) {
    const limit = quantityValue(container.resources?.limits?.['memory'] ?? '0')
    if (difference.memory && limit > 0 && limit < (actual.memoryLimitBytes || Infinity))
      await check(`container "${container.name}"`, `${path}/${id}`, limit)
  }
  if (problems.length === 0) return
  const list = problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`
  throw new Error(`cannot decrease memory limits: ${list}`)
}
