/** Writes the API's view of one container: its state, its last state, whether it has started and is ready. */
import type { Container, ContainerState, ContainerStateTerminated, ContainerStatus, Pod } from '#api/core/v1.gen.ts'
import type { ContainerDetail } from '../runtime/runtime-service.ts'
import { actualResources, differenceOf } from '../resize/actual-resources.ts'
import type { ProbeResults } from './container-trouble.ts'
import { shouldRestart, type PodContainer } from './pod-facts.ts'
import type { PodState } from './pod-state.ts'
import { formatTime } from './pod-conditions.ts'

export type Waiting = { readonly reason: string; readonly message: string }

export type StatusSources = {
  readonly pod: Pod
  readonly state: PodState
  /** The status last written, by container name. */
  readonly old: ReadonlyMap<string, ContainerStatus>
  readonly probes: ProbeResults & { readiness(containerId: string): ReturnType<ProbeResults['startup']> }
  /** Why the worker could not start a container that is due. */
  readonly waiting: ReadonlyMap<string, Waiting>
  /** Texts that containers left behind, by container id. */
  readonly terminationMessages: ReadonlyMap<string, string>
  /** Name in front of container ids: `containerd`. */
  readonly runtimeName: string
}

const LOST: ContainerStateTerminated = {
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  exitCode: 137,
}

export function containerStatusOf(target: PodContainer, sources: StatusSources): ContainerStatus {
  const { container } = target
  const [current, previous] = sources.state.containers.filter((candidate) => candidate.name === container.name)
  const old = sources.old.get(container.name)
  const base = current ? describeCurrent(current, previous, { old, sources }) : describeAbsent(target, sources, old)
  const status = isOver(target, current, sources) ? base : applyWaiting(base, sources.waiting.get(container.name))
  const running = current?.state === 'running' && status.state?.running !== undefined
  const started = running && (!container.startupProbe || sources.probes.startup(current.id) === 'success')
  const isReady = started && (!container.readinessProbe || sources.probes.readiness(current.id) === 'success')
  const mounts = volumeMountStatuses(container)
  return {
    ...status,
    ready: target.kind === 'init' ? status.state?.terminated?.exitCode === 0 : isReady && target.kind !== 'ephemeral',
    ...(target.kind !== 'ephemeral' && { started }),
    ...(container.resources &&
      target.kind !== 'ephemeral' && {
        ...(container.resources.requests && { allocatedResources: container.resources.requests }),
        resources: running ? resourcesInForce(container, current, old) : container.resources,
      }),
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...(running && current.user && { user: { linux: mutableUser(current.user) } }),
  }
}

/** The request of memory is only the node's word: it is in force together with the limit. */
function resourcesInForce(
  container: Pick<Container, 'resources'>,
  current: ContainerDetail,
  old: ContainerStatus | undefined,
): NonNullable<Container['resources']> {
  const actual = actualResources(container, current) ?? {}
  const before = current.actuated ? current.actuated.requests?.['memory'] : old?.resources?.requests?.['memory']
  if (!differenceOf(container, current).memory || before === undefined) return actual
  return { ...actual, requests: { ...actual.requests, memory: before } }
}

type Bare = Omit<ContainerStatus, 'ready'>

type Context = { readonly old: ContainerStatus | undefined; readonly sources: StatusSources }

function describeCurrent(
  current: ContainerDetail,
  previous: ContainerDetail | undefined,
  { old, sources }: Context,
): Bare {
  const last = previous?.state === 'exited' ? terminated(previous, sources) : lastOfOld(old, current, sources)
  return {
    name: current.name,
    restartCount: Math.max(current.attempt, old?.restartCount ?? 0),
    image: current.image,
    imageID: current.imageRef,
    containerID: containerId(current, sources),
    state: stateOf(current, { old, sources }),
    lastState: last ? { terminated: last } : {},
  }
}

function lastOfOld(
  old: ContainerStatus | undefined,
  current: ContainerDetail,
  sources: StatusSources,
): ContainerStateTerminated | undefined {
  const isOther = old?.containerID !== containerId(current, sources)
  return isOther && old?.state?.terminated ? old.state.terminated : old?.lastState?.terminated
}

function stateOf(current: ContainerDetail, { old, sources }: Context): ContainerState {
  if (current.state === 'running') return { running: { startedAt: formatTime(current.startedAtMs) } }
  if (current.state === 'exited') return { terminated: terminated(current, sources) }
  return current.state === 'unknown' && old?.state?.running ? { terminated: LOST } : { waiting: {} }
}

function terminated(container: ContainerDetail, sources: StatusSources): ContainerStateTerminated {
  // Why it never started is the runtime's to tell, its last words are its own: a container may have both.
  const texts = [container.message, sources.terminationMessages.get(container.id) ?? '']
  const message = texts.filter((text) => text !== '').join(': ')
  return {
    exitCode: container.exitCode,
    reason: exitReason(container),
    ...(message !== '' && { message }),
    startedAt: formatTime(container.startedAtMs),
    finishedAt: formatTime(container.finishedAtMs),
    containerID: containerId(container, sources),
  }
}

/** containerd says OOMKilled whenever anything in the cgroup was: only a main process that got SIGKILL was. */
function exitReason({ reason, exitCode }: ContainerDetail): string {
  if (reason !== '' && (reason !== 'OOMKilled' || exitCode === 137)) return reason
  return exitCode === 0 ? 'Completed' : 'Error'
}

/** `containerd://3f2a…`: how a status names a container. */
export const containerId = (container: ContainerDetail, { runtimeName }: Pick<StatusSources, 'runtimeName'>): string =>
  `${container.runtimeName ?? runtimeName}://${container.id}`

/** Never created, or gone from the runtime. */
function describeAbsent({ container, kind }: PodContainer, sources: StatusSources, old?: ContainerStatus): Bare {
  if (old?.state?.terminated) return old
  const hasInit = (sources.pod.spec.initContainers ?? []).length > 0 && kind === 'regular'
  const waiting = { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } }
  const bare: Bare = {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    restartCount: old?.restartCount ?? 0,
    state: waiting,
    lastState: old?.lastState ?? {},
  }
  if (!old?.state?.running) return bare
  if (sources.pod.metadata.deletionTimestamp !== undefined) return { ...bare, state: { terminated: LOST } }
  return { ...bare, restartCount: old.restartCount + 1, lastState: { terminated: LOST } }
}

/** It ended in the sandbox in use and never runs again there: a failed start is its end, not a wait for the next. */
function isOver(target: PodContainer, current: ContainerDetail | undefined, { pod, state }: StatusSources): boolean {
  if (current?.state !== 'exited' || current.sandboxId !== state.sandboxes[0]?.id) return false
  return !shouldRestart(pod, target, current.exitCode)
}

/** A container that is due to run but cannot yet is waiting, whatever it was before. */
function applyWaiting(status: Bare, waiting: Waiting | undefined): Bare {
  if (!waiting || status.state?.running) return status
  const state = {
    waiting: { reason: waiting.reason, ...(waiting.message !== '' && { message: waiting.message }) },
  }
  return status.state?.terminated
    ? { ...status, state, lastState: { terminated: status.state.terminated } }
    : { ...status, state }
}

function volumeMountStatuses(container: Pick<Container, 'volumeMounts'>): NonNullable<ContainerStatus['volumeMounts']> {
  return (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly && { readOnly, recursiveReadOnly: 'Disabled' }),
  }))
}

function mutableUser(user: NonNullable<ContainerDetail['user']>): {
  uid: number
  gid: number
  supplementalGroups?: number[]
} {
  return {
    uid: user.uid,
    gid: user.gid,
    ...(user.supplementalGroups.length > 0 && { supplementalGroups: [...user.supplementalGroups] }),
  }
}
