/** Reads what became of a pod's containers and tells probes and the API server about it. */
import type { Container, Pod, PodStatus } from '#api/core/v1.gen.ts'
import { readTerminationMessage } from '../containers/termination-message.ts'
import type { ProbedContainer } from '../probes/probe-manager.ts'
import { withActuated } from '../resize/actuated.ts'
import { RESIZE_CONDITIONS } from '../resize/resize-state.ts'
import type { WorkerContext } from '../worker-context.ts'
import { containerId } from './container-status.ts'
import { containersOf, isHostNetwork } from './pod-facts.ts'
import type { PodMemory } from './pod-memory.ts'
import { readPodState, type PodState } from './pod-state.ts'
import { podStatusOf } from './pod-status.ts'

export async function observePod(context: WorkerContext, memory: PodMemory): Promise<PodState> {
  const { uid } = memory.pod.metadata
  const state = withActuated(context.actuated, uid, await readPodState(context.runtime, uid))
  for (const container of state.containers) {
    if (container.state !== 'exited' || memory.terminationMessages.has(container.id)) continue
    memory.terminationMessages.set(container.id, await readTerminationMessage(memory.pod, container, context))
  }
  const known = new Set(state.containers.map(({ id }) => id))
  for (const id of memory.terminationMessages.keys()) if (!known.has(id)) memory.terminationMessages.delete(id)
  return state
}

export function podIpsOf(context: WorkerContext, pod: Pod, state: PodState): readonly string[] {
  return isHostNetwork(pod) ? context.hostIps : (state.sandboxes[0]?.ips ?? [])
}

/** The pod with the newest status: ours as last computed, conditions of others as the API has them. */
export function withKnownStatus(context: WorkerContext, pod: Pod): Pod {
  const ours = context.statuses.get(pod.metadata.uid)
  if (!ours) return pod
  const conditions = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]))
  for (const condition of ours.conditions ?? [])
    if (OWN_CONDITIONS.has(condition.type)) conditions.set(condition.type, condition)
  return { ...pod, status: { ...ours, conditions: [...conditions.values()] } }
}

const OWN_CONDITIONS = new Set<string>([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  ...RESIZE_CONDITIONS,
])

export function publish(
  context: WorkerContext,
  memory: PodMemory,
  state: PodState,
  options: { readonly isDone?: boolean } = {},
): PodStatus {
  const pod = withKnownStatus(context, memory.pod)
  const status = podStatusOf({
    pod,
    state,
    probes: context.probes,
    waiting: memory.waiting,
    terminationMessages: memory.terminationMessages,
    runtimeName: context.runtimeName,
    nowMs: context.clock.now(),
    hostIps: context.hostIps,
    startTimeMs: memory.startTimeMs,
    isDone: options.isDone ?? false,
    verdict: memory.verdict,
    resize: memory.resize,
  })
  context.statuses.set(memory.pod, status)
  return status
}

/** Begins to probe what newly runs and ends it for what does not. */
export function followProbes(context: WorkerContext, memory: PodMemory, state: PodState): void {
  const { pod } = memory
  const podIp = podIpsOf(context, pod, state)[0] ?? ''
  const running: ProbedContainer[] = []
  for (const { kind, container } of containersOf(pod)) {
    const status = state.containers.find(({ name, state: now }) => name === container.name && now === 'running')
    if (!status || kind === 'ephemeral' || kind === 'init') continue
    const old = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      ({ containerID }) => containerID === containerId(status, context),
    )
    running.push({
      pod,
      kind,
      container: container as Container,
      containerId: status.id,
      startedAtMs: status.startedAtMs,
      podIp,
      execs: memory.execs,
      wasStarted: old?.started ?? false,
      wasReady: old?.ready ?? false,
    })
  }
  context.probes.follow(pod.metadata.uid, running)
}
