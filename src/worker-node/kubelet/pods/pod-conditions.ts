/** Writes the conditions that the kubelet owns: whether the pod's sandbox, init containers and containers are ready. */
import type { ContainerStatus, Pod, PodCondition } from '#api/core/v1.gen.ts'
import { RESIZE_CONDITIONS, type ResizeState } from '../resize/resize-state.ts'
import { isSidecar } from './pod-facts.ts'
import type { Phase } from './pod-phase.ts'
import { decideSandbox } from './plan-sandbox.ts'
import type { PodState } from './pod-state.ts'

export type ConditionFacts = {
  readonly phase: Phase
  readonly statuses: ReadonlyMap<string, ContainerStatus>
  readonly state: PodState
  readonly resize: ResizeState
}

type Verdict = { readonly status: 'True' | 'False'; readonly reason?: string; readonly message?: string }

const TRUE: Verdict = { status: 'True' }

/** Time as metav1.Time is written: whole seconds. */
export const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

const OWNED = new Set<string>([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  ...RESIZE_CONDITIONS,
])

/** All conditions of the pod: those of others as they are, then ours; a time changes only with its status. */
export function conditionsOf(pod: Pod, facts: ConditionFacts, nowMs: number): PodCondition[] {
  const old = pod.status?.conditions ?? []
  const containersReady = containersReadyVerdict(pod, facts)
  const verdicts: [string, Verdict][] = [
    ['PodReadyToStartContainers', sandboxVerdict(pod, facts.state)],
    ['Initialized', initializedVerdict(pod, facts)],
    ['Ready', containersReady.status === 'True' ? readinessGatesVerdict(pod, old) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', TRUE],
  ]
  const ours = verdicts.map(([type, verdict]): PodCondition => {
    const before = old.find((condition) => condition.type === type)
    const isSame = before?.status === verdict.status && before.lastTransitionTime !== undefined
    return {
      type,
      ...verdict,
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
      lastTransitionTime: isSame ? before.lastTransitionTime! : formatTime(nowMs),
    }
  })
  const others = old.filter((condition) => !OWNED.has(condition.type))
  return [...others, ...resizeConditions(facts.resize, old, nowMs), ...ours]
}

/** Unlike the others they are there only while they are true, and belong to the generation that asked for the resize. */
function resizeConditions(
  { pending, inProgress }: ResizeState,
  old: readonly PodCondition[],
  nowMs: number,
): PodCondition[] {
  const condition = (type: string, generation: number, words: { reason?: string; message?: string }): PodCondition => {
    const before = old.find((candidate) => candidate.type === type)
    const isSame = before?.reason === words.reason && before?.message === words.message
    const lastTransitionTime = (isSame ? before?.lastTransitionTime : undefined) ?? formatTime(nowMs)
    return { type, status: 'True', ...words, observedGeneration: generation, lastTransitionTime }
  }
  return [
    ...(pending
      ? [condition('PodResizePending', pending.generation, { reason: pending.reason, message: pending.message })]
      : []),
    ...(inProgress
      ? [
          condition(
            'PodResizeInProgress',
            inProgress.generation,
            inProgress.error === null ? {} : { reason: 'Error', message: inProgress.error },
          ),
        ]
      : []),
  ]
}

function sandboxVerdict(pod: Pod, state: PodState): Verdict {
  const sandbox = decideSandbox(pod, state)
  return sandbox.keep ? TRUE : { status: 'False', reason: 'PodSandboxNotReady', message: sandbox.reason }
}

function initializedVerdict(pod: Pod, { phase, statuses }: ConditionFacts): Verdict {
  const init = pod.spec.initContainers ?? []
  const unknown = init.filter((container) => !statuses.has(container.name))
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' }
  if (pod.spec.containers.some((container) => hasStarted(statuses.get(container.name)))) return TRUE
  const incomplete = init.filter((container) => {
    const status = statuses.get(container.name)
    return status && !(isSidecar(container) ? status.started : status.ready)
  })
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${nameList(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${nameList(incomplete)}`] : []),
  ].join(', ')
  return message === '' ? TRUE : { status: 'False', reason: 'ContainersNotInitialized', message }
}

const hasStarted = (status: ContainerStatus | undefined): boolean =>
  status !== undefined &&
  (status.state?.running !== undefined ||
    status.state?.terminated !== undefined ||
    status.lastState?.terminated !== undefined)

function containersReadyVerdict(pod: Pod, { phase, statuses }: ConditionFacts): Verdict {
  const counted = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]
  const unknown = counted.filter((container) => !statuses.has(container.name))
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' }
  const unready = counted.filter((container) => statuses.get(container.name)?.ready === false)
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${nameList(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${nameList(unready)}`] : []),
  ].join(', ')
  return message === '' ? TRUE : { status: 'False', reason: 'ContainersNotReady', message }
}

function readinessGatesVerdict(pod: Pod, conditions: readonly PodCondition[]): Verdict {
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = conditions.find((candidate) => candidate.type === conditionType)
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    return condition.status === 'True'
      ? []
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`]
  })
  return messages.length === 0
    ? TRUE
    : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}

/** Go's print of a list. */
const nameList = (containers: readonly { readonly name: string }[]): string =>
  `[${containers.map((container) => container.name).join(' ')}]`
