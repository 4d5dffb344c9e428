/** Decides which init container or sidecar comes next: they start one after the other, in the order of the spec. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isSidecar, shouldRestart, type PodContainer } from './pod-facts.ts'
import { exitCodeOf, findTrouble, stopUnknown, type ContainerStop, type ProbeResults } from './container-trouble.ts'
import { activeOf, type PodState } from './pod-state.ts'

export type InitPlan = {
  /** The regular containers may start. */
  readonly initialized: boolean
  /** An init container failed and may not run again: the pod is done. */
  readonly failed: boolean
  readonly start: readonly PodContainer[]
  readonly stop: readonly ContainerStop[]
}

/** What one init container says about the way of the pod. */
type Step = 'done' | 'blocked' | 'failed'

export function planInitContainers(pod: Pod, state: PodState, probes: ProbeResults): InitPlan {
  const targets = (pod.spec.initContainers ?? []).map((container): PodContainer => ({
    kind: isSidecar(container) ? 'sidecar' : 'init',
    container,
  }))
  const start: PodContainer[] = []
  const stop: ContainerStop[] = []
  // Once the regular containers were there, the init containers are history and only sidecars are kept alive.
  const wasInitialized = pod.spec.containers.some((container) => activeOf(state, container.name))
  const furthest = targets.findLastIndex((target) => activeOf(state, target.container.name))
  for (const [index, target] of targets.entries()) {
    if (target.kind === 'init' && (wasInitialized || index < furthest)) continue
    const step = planOne({ pod, state, probes, target, start, stop })
    if (step === 'failed') return { initialized: false, failed: true, start: [], stop: [] }
    // A sidecar that restarts does not hold up those behind it that have already begun.
    if (step === 'blocked' && !wasInitialized && index >= furthest) {
      return { initialized: false, failed: false, start, stop }
    }
  }
  return { initialized: true, failed: false, start, stop }
}

type Situation = {
  readonly pod: Pod
  readonly state: PodState
  readonly probes: ProbeResults
  readonly target: PodContainer
  readonly start: PodContainer[]
  readonly stop: ContainerStop[]
}

function planOne({ pod, state, probes, target, start, stop }: Situation): Step {
  const status = activeOf(state, target.container.name)
  if (!status || status.state === 'created') {
    start.push(target)
    return 'blocked'
  }
  if (status.state === 'running') {
    if (target.kind === 'init') return 'blocked'
    const trouble = findTrouble(target, status, probes)
    if (trouble) {
      stop.push(trouble)
      start.push(target)
      return 'blocked'
    }
    return target.container.startupProbe && probes.startup(status.id) !== 'success' ? 'blocked' : 'done'
  }
  if (status.state === 'unknown') stop.push(stopUnknown(target, status))
  const exitCode = exitCodeOf(status)
  if (target.kind === 'init' && exitCode === 0) return 'done'
  if (target.kind === 'init' && !shouldRestart(pod, target, exitCode)) return 'failed'
  start.push(target)
  return 'blocked'
}
