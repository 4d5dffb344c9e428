/** Table cells of pods: the READY, STATUS and RESTARTS that kubectl shows. */
import type { Container, ContainerStatus, Pod } from '#api/core/v1.gen.ts'
import type { TableRowCondition } from '#api/kind.ts'
import { formatAge } from '#api/table-cells.ts'

/** What the containers' states add up to while they are read one after the other. */
type Summary = {
  reason: string
  ready: number
  restarts: number
  /** RFC 3339 time at which a container last ended before a restart. */
  lastRestart: string
}

export function podCells(pod: Pod, nowMs: number): unknown[] {
  const summary = summarize(pod)
  return [
    pod.metadata.name,
    `${summary.ready}/${countContainers(pod)}`,
    summary.reason,
    restartsCell(summary, nowMs),
    formatAge(pod.metadata.creationTimestamp, nowMs),
    pod.status?.podIPs?.[0]?.ip || '<none>',
    pod.spec.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    readinessGatesCell(pod),
  ]
}

/** Marks pods that have ended, so that a client can leave them out. */
export function podRowConditions({ status }: Pod): readonly TableRowCondition[] {
  if (status?.phase === 'Succeeded') return SUCCEEDED
  return status?.phase === 'Failed' ? FAILED : []
}

const SUCCEEDED: readonly TableRowCondition[] = [
  { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
]
const FAILED: readonly TableRowCondition[] = [
  { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
]

/** Containers that count for READY: the main ones and the sidecars. */
function countContainers({ spec }: Pod): number {
  return (spec.containers?.length ?? 0) + (spec.initContainers ?? []).filter(isSidecar).length
}

function isSidecar(container: Container | undefined): boolean {
  return container?.restartPolicy === 'Always'
}

function restartsCell({ restarts, lastRestart }: Summary, nowMs: number): string {
  return restarts !== 0 && lastRestart !== '' ? `${restarts} (${formatAge(lastRestart, nowMs)} ago)` : String(restarts)
}

function summarize(pod: Pod): Summary {
  const summary: Summary = { reason: podReason(pod), ready: 0, restarts: 0, lastRestart: '' }
  const sidecars: Summary = { ...summary }
  const initializing = readInitContainers(pod, summary, sidecars)
  if (!initializing || hasCondition(pod, 'Initialized')) {
    summary.restarts = sidecars.restarts
    summary.lastRestart = sidecars.lastRestart
    readContainers(pod, summary)
  }
  if (pod.metadata.deletionTimestamp === undefined) return summary
  if (pod.status?.reason === 'NodeLost') summary.reason = 'Unknown'
  else if (pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded') summary.reason = 'Terminating'
  return summary
}

function podReason({ status }: Pod): string {
  const isGated = status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  )
  return isGated === true ? 'SchedulingGated' : status?.reason || status?.phase || ''
}

/** True when an init container has still to finish; the reason then says which one and why. */
function readInitContainers(pod: Pod, summary: Summary, sidecars: Summary): boolean {
  const specs = pod.spec.initContainers ?? []
  for (const [position, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isRestartable = isSidecar(specs.find((spec) => spec.name === container.name))
    countRestarts(summary, container)
    if (isRestartable) countRestarts(sidecars, container)
    const { terminated } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (isRestartable && container.started === true) {
      if (container.ready) summary.ready++
      continue
    }
    summary.reason = `Init:${initReason(container) || `${position}/${specs.length}`}`
    return true
  }
  return false
}

function initReason({ state }: ContainerStatus): string {
  if (state?.terminated !== undefined) return endReason(state.terminated)
  const waiting = state?.waiting?.reason ?? ''
  return waiting === 'PodInitializing' ? '' : waiting
}

function endReason({
  reason = '',
  signal = 0,
  exitCode,
}: {
  reason?: string
  signal?: number
  exitCode: number
}): string {
  if (reason !== '') return reason
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`
}

/** Reads the main containers from the last to the first: the first one has the last word on the reason. */
function readContainers(pod: Pod, summary: Summary): void {
  let hasRunning = false
  let failure = ''
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    countRestarts(summary, container)
    const { waiting, terminated, running } = container.state ?? {}
    if (waiting?.reason) summary.reason = waiting.reason
    else if (terminated !== undefined) {
      summary.reason = endReason(terminated)
      if (terminated.exitCode !== 0) failure = summary.reason
    } else if (container.ready && running !== undefined) {
      hasRunning = true
      summary.ready++
    }
  }
  if (summary.reason !== 'Completed') return
  // One container is done, but the pod is not.
  if (hasRunning && hasCondition(pod, 'Ready')) summary.reason = 'Running'
  else if (failure !== '') summary.reason = failure
  else if (hasRunning) summary.reason = 'NotReady'
}

function countRestarts(summary: Summary, { restartCount, lastState }: ContainerStatus): void {
  summary.restarts += restartCount
  const ended = lastState?.terminated?.finishedAt ?? ''
  // RFC 3339 times in UTC sort as text.
  if (ended > summary.lastRestart) summary.lastRestart = ended
}

function hasCondition({ status }: Pod, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
}

function readinessGatesCell({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const passed = gates.filter(
    ({ conditionType }) => status?.conditions?.find((condition) => condition.type === conditionType)?.status === 'True',
  )
  return `${passed.length}/${gates.length}`
}
