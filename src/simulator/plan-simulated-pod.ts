/** Decides what the status of a simulated pod is: what a kubelet with containers that always behave would report. Pure. */
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '#api/core/v1.gen.ts'

/** How far the simulated containers of a pod are. */
export type Progress = 'starting' | 'running' | 'completed'

export type PlanOptions = {
  readonly progress: Progress
  readonly podIp: string
  readonly hostIp: string
  /** RFC 3339, seconds. */
  readonly now: string
}

/** A pod whose containers end by themselves: only with a restart policy that lets them. */
export function runsToCompletion(pod: Pod): boolean {
  return pod.spec.restartPolicy === 'Never' || pod.spec.restartPolicy === 'OnFailure'
}

export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

export function planStatus(pod: Pod, options: PlanOptions): PodStatus {
  const { progress, podIp, hostIp, now } = options
  const isReady = progress === 'running'
  const startTime = pod.status?.startTime ?? now
  return {
    ...pod.status,
    phase: progress === 'completed' ? 'Succeeded' : progress === 'running' ? 'Running' : 'Pending',
    conditions: planConditions(pod, progress, now),
    hostIP: hostIp,
    startTime,
    ...(progress === 'starting' ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    containerStatuses: pod.spec.containers.map((container) =>
      planContainer(container, { ...options, isReady, startTime }),
    ),
  }
}

function planContainer(
  container: Container,
  { progress, now, isReady, startTime }: PlanOptions & { isReady: boolean; startTime: string },
): ContainerStatus {
  const state =
    progress === 'starting'
      ? { waiting: { reason: 'ContainerCreating' } }
      : progress === 'running'
        ? { running: { startedAt: startTime } }
        : { terminated: { exitCode: 0, reason: 'Completed', startedAt: startTime, finishedAt: now } }
  const image = container.image ?? ''
  return {
    name: container.name,
    image,
    imageID: `simulated://${image}`,
    ready: isReady,
    restartCount: 0,
    started: isReady,
    state,
  }
}

function planConditions(pod: Pod, progress: Progress, now: string): PodCondition[] {
  const completed = progress === 'completed'
  const reason = completed
    ? { reason: 'PodCompleted' }
    : progress === 'starting'
      ? { reason: 'ContainersNotReady' }
      : {}
  const ready = progress === 'running' ? 'True' : 'False'
  const wanted: PodCondition[] = [
    { type: 'PodReadyToStartContainers', status: progress === 'running' ? 'True' : 'False' },
    { type: 'Initialized', status: 'True' },
    { type: 'Ready', status: ready, ...reason },
    { type: 'ContainersReady', status: ready, ...reason },
  ]
  const own = new Set(wanted.map(({ type }) => type))
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !own.has(type))
  return [...wanted.map((condition) => withTransition(condition, pod, now)), ...others]
}

/** The time changes only with the status. */
function withTransition(condition: PodCondition, pod: Pod, now: string): PodCondition {
  const old = pod.status?.conditions?.find(({ type }) => type === condition.type)
  return { ...condition, lastTransitionTime: old?.status === condition.status ? (old.lastTransitionTime ?? now) : now }
}
