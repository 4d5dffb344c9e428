/** Sums the states of a pod's containers up into its phase. */
import type { ContainerStatus, Pod } from '#api/core/v1.gen.ts'
import { isSidecar, isStaticPod, shouldRestart, type PodContainer } from './pod-facts.ts'

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export type PhaseFacts = {
  readonly statuses: ReadonlyMap<string, ContainerStatus>
  /** No container of the pod will ever run again. */
  readonly isDone: boolean
  /** A regular container was started in the sandbox in use. */
  readonly wasInitialized: boolean
}

type Count = { running: number; waiting: number; unknown: number; stopped: number; succeeded: number; final: number }

export function phaseOf(pod: Pod, facts: PhaseFacts): Phase {
  const init = countInit(pod, facts)
  if (init.failed) return 'Failed'
  const count = init.sidecars
  for (const container of pod.spec.containers) countRegular(pod, { kind: 'regular', container }, facts, count)
  if (init.pending || (init.sidecarsPending && !facts.wasInitialized) || count.waiting > 0) return 'Pending'
  if (count.running > 0 && count.unknown === 0) return 'Running'
  if (count.running > 0 || count.stopped === 0 || count.unknown > 0) return 'Pending'
  const outcome = count.stopped === count.succeeded ? 'Succeeded' : 'Failed'
  if (facts.isDone && !isStaticPod(pod)) return outcome
  return count.stopped === count.final ? outcome : 'Running'
}

/** The exit code a container last had, if it ended and does not run again. */
const lastExit = (status: ContainerStatus): number | undefined =>
  (status.state?.waiting ? status.lastState : status.state)?.terminated?.exitCode

function countInit(
  pod: Pod,
  { statuses }: PhaseFacts,
): {
  readonly failed: boolean
  readonly pending: boolean
  readonly sidecarsPending: boolean
  readonly sidecars: Count
} {
  let [failed, pending, sidecarsPending] = [false, false, false]
  const sidecars: Count = { running: 0, waiting: 0, unknown: 0, stopped: 0, succeeded: 0, final: 0 }
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.get(container.name)
    const exit = status && lastExit(status)
    if (isSidecar(container)) {
      if (!status) sidecars.unknown++
      else if (status.state?.running) {
        sidecars.running++
        sidecarsPending ||= !status.started
      } else if (exit === undefined) {
        sidecars.waiting++
        sidecarsPending = true
      }
    } else if (exit === undefined) pending = true
    else if (exit !== 0) failed ||= !shouldRestart(pod, { kind: 'init', container }, exit)
  }
  return { failed, pending, sidecarsPending, sidecars }
}

function countRegular(pod: Pod, target: PodContainer, { statuses }: PhaseFacts, count: Count): void {
  const status = statuses.get(target.container.name)
  if (!status) count.unknown++
  else if (status.state?.running) count.running++
  else {
    const exit = lastExit(status)
    if (exit === undefined) {
      count.waiting++
      return
    }
    count.stopped++
    if (exit === 0 && status.state?.terminated) count.succeeded++
    if (!shouldRestart(pod, target, exit)) count.final++
  }
}
