/** Decides whether a running container may run on: its probes and its definition have a say. */
import { isRestartNeeded } from '../resize/actual-resources.ts'
import { CONTAINER_HASH } from '../runtime/labels.ts'
import type { ContainerDetail } from '../runtime/runtime-service.ts'
import { containerHash, type PodContainer } from './pod-facts.ts'

export type ProbeOutcome = 'success' | 'failure'

/** Newest results per container id; undefined while a probe has not decided. */
export type ProbeResults = {
  startup(containerId: string): ProbeOutcome | undefined
  liveness(containerId: string): ProbeOutcome | undefined
}

export type KillReason = 'StartupProbe' | 'LivenessProbe' | 'Unknown' | 'Changed' | 'Resize'

export type ContainerStop = {
  readonly id: string
  readonly target: PodContainer
  readonly reason: KillReason
  /** For the event `Killing`. */
  readonly message: string
}

/** A container whose end nobody saw counts as failed. */
export const exitCodeOf = (status: ContainerDetail): number => (status.state === 'exited' ? status.exitCode : 137)

export function stopUnknown(target: PodContainer, status: ContainerDetail): ContainerStop {
  return {
    id: status.id,
    target,
    reason: 'Unknown',
    message: 'Container is in "unknown" state, try killing it before restart',
  }
}

/** Why a running container may not run on, if so. */
export function findTrouble(target: PodContainer, status: ContainerDetail, probes: ProbeResults): ContainerStop | null {
  const { name } = target.container
  const stop = (reason: KillReason, what: string): ContainerStop => ({
    id: status.id,
    target,
    reason,
    message: `${target.kind === 'regular' ? 'Container' : 'Init container'} ${name} ${what}`,
  })
  const hash = status.annotations[CONTAINER_HASH]
  if (hash !== undefined && hash !== containerHash(target.container)) return stop('Changed', 'definition changed')
  if (target.kind !== 'ephemeral' && isRestartNeeded(target.container, status))
    return { ...stop('Resize', ''), message: `Container ${name} resize requires restart` }
  if (probes.liveness(status.id) === 'failure') return stop('LivenessProbe', 'failed liveness probe')
  if (probes.startup(status.id) === 'failure') return stop('StartupProbe', 'failed startup probe')
  return null
}
