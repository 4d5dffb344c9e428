/** Decides, without any I/O, what has to happen next to a pod: sandbox, containers to stop and to start. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { ContainerDetail } from '../runtime/runtime-service.ts'
import { shouldRestart, type PodContainer } from './pod-facts.ts'
import { planInitContainers } from './plan-init-containers.ts'
import { decideSandbox } from './plan-sandbox.ts'
import { activeOf, newestOf, type PodState } from './pod-state.ts'
import { exitCodeOf, findTrouble, stopUnknown, type ContainerStop, type ProbeResults } from './container-trouble.ts'

export type PodPlan = {
  /** Stop all containers and the sandbox first. */
  readonly killPod: boolean
  readonly createSandbox: { readonly attempt: number; readonly reason: string } | null
  readonly stop: readonly ContainerStop[]
  /** In order; the worker still holds back those whose restart has to wait. */
  readonly start: readonly PodContainer[]
}

const NOTHING: PodPlan = { killPod: false, createSandbox: null, stop: [], start: [] }

export function planPod(pod: Pod, state: PodState, probes: ProbeResults): PodPlan {
  const sandbox = decideSandbox(pod, state)
  if (!sandbox.keep) return planNewSandbox(pod, state, sandbox)
  const start: PodContainer[] = []
  for (const container of pod.spec.ephemeralContainers ?? [])
    if (!newestOf(state, container.name)) start.push({ kind: 'ephemeral', container })
  const init = planInitContainers(pod, state, probes)
  if (init.failed) return { ...NOTHING, killPod: true }
  start.push(...init.start)
  if (!init.initialized) return { ...NOTHING, stop: init.stop, start }
  const regular = planRegularContainers(pod, state, probes)
  if (regular.kept === 0 && regular.start.length === 0) return { ...NOTHING, killPod: true }
  return { ...NOTHING, stop: [...init.stop, ...regular.stop], start: [...start, ...regular.start] }
}

/** A pod whose sandbox is gone runs again, unless all it had to do is done. */
function planNewSandbox(
  pod: Pod,
  state: PodState,
  sandbox: { readonly attempt: number; readonly reason: string },
): PodPlan {
  const hasRun = state.containers.length > 0
  if (pod.spec.restartPolicy === 'Never' && sandbox.attempt !== 0 && hasRun && !hasOwnRestartRules(pod))
    return { ...NOTHING, killPod: true }
  const regular = pod.spec.containers.map((container): PodContainer => ({ kind: 'regular', container }))
  const start = regular.filter((target) => !isDoneForGood(pod, target, newestOf(state, target.container.name)))
  const everInitialized = regular.some((target) => newestOf(state, target.container.name))
  if (start.length === 0 && everInitialized) return { ...NOTHING, killPod: true }
  const [first] = pod.spec.initContainers ?? []
  const firstInit = first && planInitContainers(pod, { ...state, sandboxes: [], containers: [] }, NO_RESULTS).start
  const createSandbox = { attempt: sandbox.attempt, reason: sandbox.reason }
  return { ...NOTHING, killPod: state.sandboxes.length > 0, createSandbox, start: firstInit ?? start }
}

const NO_RESULTS: ProbeResults = { startup: () => undefined, liveness: () => undefined }

const hasOwnRestartRules = (pod: Pod): boolean =>
  pod.spec.containers.some((container) => container.restartPolicy ?? container.restartPolicyRules)

/** Only a success with OnFailure is final here: whatever was cut off by the sandbox's death runs again. */
function isDoneForGood(pod: Pod, { container }: PodContainer, last: ContainerDetail | undefined): boolean {
  const policy = container.restartPolicy ?? pod.spec.restartPolicy
  return policy === 'OnFailure' && last?.state === 'exited' && last.exitCode === 0
}

function planRegularContainers(
  pod: Pod,
  state: PodState,
  probes: ProbeResults,
): { readonly kept: number; readonly start: PodContainer[]; readonly stop: ContainerStop[] } {
  const [start, stop]: [PodContainer[], ContainerStop[]] = [[], []]
  let kept = 0
  for (const container of pod.spec.containers) {
    const target: PodContainer = { kind: 'regular', container }
    const status = activeOf(state, container.name) ?? newestOf(state, container.name)
    if (status?.state !== 'running') {
      if (!status || status.state === 'created' || shouldRestart(pod, target, exitCodeOf(status))) start.push(target)
      if (status?.state === 'unknown') stop.push(stopUnknown(target, status))
      continue
    }
    const trouble = findTrouble(target, status, probes)
    if (!trouble) {
      kept++
      continue
    }
    const again =
      trouble.reason === 'Changed' ||
      trouble.reason === 'Resize' ||
      (container.restartPolicy ?? pod.spec.restartPolicy) !== 'Never'
    if (again) start.push(target)
    const note = again && trouble.reason !== 'Resize' ? ', will be restarted' : ''
    stop.push({ ...trouble, message: `${trouble.message}${note}` })
  }
  return { kept, start, stop }
}
