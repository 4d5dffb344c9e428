/** Status and conditions of a Deployment: available, progressing, or stuck past its deadline. Pure. */
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#api/apps/v1.gen.ts'
import { formatTime } from '../object-key.ts'
import { boundsOf, replicasOf, sumAvailable } from './sizes.ts'

export type Wanted = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

export type StatusInput = {
  readonly deployment: Deployment
  readonly newest: ReplicaSet | null
  readonly sets: readonly ReplicaSet[]
  readonly nowMs: number
}

const sum = (
  sets: readonly ReplicaSet[],
  pick: (status: NonNullable<ReplicaSet['status']>) => number | undefined,
): number => sets.reduce((total, { status }) => total + (status === undefined ? 0 : (pick(status) ?? 0)), 0)

export function planStatus({ deployment, newest, sets, nowMs }: StatusInput): DeploymentStatus {
  const available = sumAvailable(sets)
  const replicas = sum(sets, (status) => status.replicas)
  const collisionCount = deployment.status?.collisionCount
  const base: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas,
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sum(sets, (status) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sets.reduce((total, set) => total + replicasOf(set), 0) - available),
    terminatingReplicas: sum(sets, (status) => status.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  }
  const conditions = new Conditions(deployment.status?.conditions ?? [], nowMs)
  const isAvailable = available >= replicasOf(deployment) - boundsOf(deployment).unavailable
  conditions.set(
    isAvailable
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
  )
  if (!hasDeadline(deployment)) conditions.remove('Progressing')
  else if (deployment.spec.paused !== true) planProgress({ deployment, newest, sets, nowMs }, base, conditions)
  planFailure(newest, sets, conditions)
  return { ...base, conditions: conditions.list() }
}

/** What a ReplicaSet could not do shows on its Deployment, first of all for the newest. */
function planFailure(newest: ReplicaSet | null, sets: readonly ReplicaSet[], conditions: Conditions): void {
  const failure = [...(newest === null ? [] : [newest]), ...sets]
    .flatMap((set) => set.status?.conditions ?? [])
    .find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  if (failure === undefined) conditions.remove('ReplicaFailure')
  else {
    const { reason = '', message = '' } = failure
    conditions.set({ type: 'ReplicaFailure', status: 'True', reason, message })
  }
}

/** Every pod is of the newest template, and they are all available. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = replicasOf(deployment)
  return (
    status.updatedReplicas === desired &&
    status.replicas === desired &&
    status.availableReplicas === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function planProgress(
  { deployment, newest, nowMs }: StatusInput,
  status: DeploymentStatus,
  conditions: Conditions,
): void {
  const current = conditions.get('Progressing')
  const name =
    newest === null
      ? `Deployment ${JSON.stringify(deployment.metadata.name)}`
      : `ReplicaSet ${JSON.stringify(newest.metadata.name)}`
  const isSettled = current?.reason === 'NewReplicaSetAvailable' && status.replicas === status.updatedReplicas
  if (isSettled) return
  if (isComplete(deployment, status))
    conditions.set({
      type: 'Progressing',
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `${name} has successfully progressed.`,
    })
  else if (hasProgressed(deployment, status))
    conditions.set(
      { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${name} is progressing.` },
      true,
    )
  else if (hasTimedOut(deployment, current, nowMs))
    conditions.set({
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `${name} has timed out progressing.`,
    })
}

/** The largest 32-bit number stands for: no deadline. */
export const hasDeadline = ({ spec }: Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2 ** 31 - 1

function hasProgressed(deployment: Deployment, status: DeploymentStatus): boolean {
  const old = deployment.status
  const oldOutdated = (old?.replicas ?? 0) - (old?.updatedReplicas ?? 0)
  return (
    (status.updatedReplicas ?? 0) > (old?.updatedReplicas ?? 0) ||
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0) < oldOutdated ||
    (status.readyReplicas ?? 0) > (old?.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old?.availableReplicas ?? 0)
  )
}

/** Milliseconds until the deadline passes without progress; null when there is none to wait for. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | null {
  const current = status.conditions?.find(({ type }) => type === 'Progressing')
  if (
    !hasDeadline(deployment) ||
    current === undefined ||
    isComplete(deployment, status) ||
    deployment.spec.paused === true
  )
    return null
  if (current.reason === 'ProgressDeadlineExceeded' || current.reason === 'NewReplicaSetAvailable') return null
  return (
    Math.max(
      0,
      Date.parse(current.lastUpdateTime ?? formatTime(nowMs)) + deployment.spec.progressDeadlineSeconds! * 1000 - nowMs,
    ) + 1000
  )
}

function hasTimedOut(deployment: Deployment, current: DeploymentCondition | undefined, nowMs: number): boolean {
  if (current === undefined) return false
  if (current.reason === 'ProgressDeadlineExceeded') return true
  if (current.reason === 'NewReplicaSetAvailable') return false
  return (
    Date.parse(current.lastUpdateTime ?? formatTime(nowMs)) + deployment.spec.progressDeadlineSeconds! * 1000 < nowMs
  )
}

/** Conditions by type; times change as upstream's do. */
export class Conditions {
  #conditions: readonly DeploymentCondition[]
  readonly #now: string
  constructor(conditions: readonly DeploymentCondition[], nowMs: number) {
    this.#conditions = conditions
    this.#now = formatTime(nowMs)
  }

  get(type: string): DeploymentCondition | undefined {
    return this.#conditions.find((condition) => condition.type === type)
  }

  list(): DeploymentCondition[] {
    return [...this.#conditions]
  }

  remove(type: string): void {
    this.#conditions = this.#conditions.filter((condition) => condition.type !== type)
  }

  /** Nothing changes for the same status and reason, unless `refresh`: then it has been seen anew. */
  set(wanted: Wanted, refresh = false): void {
    const old = this.get(wanted.type)
    const isSame = old !== undefined && old.status === wanted.status
    if (!refresh && isSame && old.reason === wanted.reason) return
    const lastTransitionTime = isSame ? (old.lastTransitionTime ?? this.#now) : this.#now
    this.#conditions = [
      ...this.#conditions.filter(({ type }) => type !== wanted.type),
      { ...wanted, lastUpdateTime: this.#now, lastTransitionTime },
    ]
  }
}
