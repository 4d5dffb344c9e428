/** Rolls the pods of each Deployment from one template to the next, by growing one ReplicaSet and shrinking the others. */
import { isDeepStrictEqual } from 'node:util'
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { DEPLOYMENTS, PODS, REPLICASETS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { controllerKeyOf, controllerOf, referenceTo } from '../object-key.ts'
import { indexByController, onAnyChange, onDependentChange } from '../on-change.ts'
import { isPodTerminal } from '../pods/pod-state.ts'
import { isSameStatus } from '../status.ts'
import { Conditions, hasDeadline, planStatus, untilDeadlineMs } from './conditions.ts'
import { planCleanup } from './history.ts'
import { NewReplicaSet } from './new-replica-set.ts'
import { sizeAnnotations } from './revisions.ts'
import {
  boundsOf,
  byCreation,
  isScaling,
  newSetSize,
  planOldSets,
  planScaling,
  replicasOf,
  type Resize,
} from './sizes.ts'
import { isSameTemplate } from './template-hash.ts'

const BY_CONTROLLER = 'deployment/controller'

export class DeploymentController implements Controller {
  readonly name = 'deployment-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #deployments: Informer<Deployment>
  readonly #sets: Informer<ReplicaSet>
  readonly #pods: Informer<Pod>
  readonly #newSets: NewReplicaSet

  constructor(context: ControllerContext) {
    const { client, informers, clock, events } = context
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#deployments = informers.informer(DEPLOYMENTS)
    this.#sets = informers.informer(REPLICASETS)
    this.#pods = informers.informer(PODS)
    this.#newSets = new NewReplicaSet(context)
  }

  watch(enqueue: Enqueue): void {
    indexByController(this.#sets, BY_CONTROLLER)
    onAnyChange(this.#deployments, (deployment) => enqueue(keyOf(deployment)))
    onDependentChange(this.#sets, (set) => {
      const key = controllerKeyOf(set, 'Deployment')
      if (key !== null) enqueue(key)
    })
    // Recreate waits for the last old pod to go.
    this.#pods.addHandler({ deleted: (pod) => this.#podGone(pod, enqueue) })
  }

  #podGone(pod: Pod, enqueue: Enqueue): void {
    const set = controllerOf(pod)
    if (set?.kind !== 'ReplicaSet') return
    const owner = controllerOf(this.#sets.get(`${pod.metadata.namespace}/${set.name}`) ?? pod)
    const deployment =
      owner === undefined ? undefined : this.#deployments.get(`${pod.metadata.namespace}/${owner.name}`)
    if (deployment?.spec.strategy?.type === 'Recreate') enqueue(keyOf(deployment))
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const deployment = this.#deployments.get(key)
    if (deployment === undefined) return {} // Deleted: its ReplicaSets now belong to the garbage collector.
    if (selectsEverything(deployment)) {
      this.#events.event(
        referenceTo(DEPLOYMENTS, deployment),
        'Warning',
        'SelectingAll',
        'This deployment is selecting all pods. A non-empty selector is required.',
      )
      return {}
    }
    const sets = this.#ownedSets(deployment)
    if (deployment.metadata.deletionTimestamp !== undefined) return this.#writeStatus(deployment, sets, signal)
    const marked = await this.#markPaused(deployment, signal)
    if (marked) return {} // The change comes back as an event.
    if (deployment.spec.paused === true || isScaling(deployment, sets)) return this.#scale(deployment, sets, signal)
    return deployment.spec.strategy?.type === 'Recreate'
      ? this.#recreate(deployment, sets, signal)
      : this.#roll(deployment, sets, signal)
  }

  #ownedSets(deployment: Deployment): ReplicaSet[] {
    const selector = matcherOf(deployment.spec.selector)
    return this.#sets
      .byIndex(BY_CONTROLLER, deployment.metadata.uid)
      .filter((set) => selector.matches(set.metadata.labels ?? {}))
  }

  /** The ReplicaSet of the current template (the oldest, should there be two), and all others. */
  #split(deployment: Deployment, sets: readonly ReplicaSet[]): { newest: ReplicaSet | null; old: ReplicaSet[] } {
    const newest = byCreation(sets).find((set) => isSameTemplate(set.spec.template, deployment.spec.template)) ?? null
    return { newest, old: sets.filter((set) => set !== newest) }
  }

  async #roll(deployment: Deployment, sets: readonly ReplicaSet[], signal: AbortSignal): Promise<Result> {
    const { newest, old } = this.#split(deployment, sets)
    const ensured = await this.#newSets.ensure(deployment, newest, old, signal)
    if (ensured.isChanged) return {} // What was written comes back as an event.
    const current = ensured.set
    const all = [...old, current]
    const desired = replicasOf(deployment)
    const size = replicasOf(current) > desired ? desired : newSetSize(deployment, all, replicasOf(current))
    if (size !== replicasOf(current)) {
      await this.#resize(deployment, { set: current, replicas: size }, signal)
      return this.#writeStatus(deployment, all, signal)
    }
    const shrinks = planOldSets(deployment, current, old)
    for (const resize of shrinks) await this.#resize(deployment, resize, signal)
    if (shrinks.length === 0 && isRolledOut(deployment)) await this.#cleanUp(deployment, old, signal)
    return this.#writeStatus(deployment, all, signal)
  }

  async #recreate(deployment: Deployment, sets: readonly ReplicaSet[], signal: AbortSignal): Promise<Result> {
    const { newest, old } = this.#split(deployment, sets)
    const running = old.filter((set) => replicasOf(set) > 0)
    for (const set of running) await this.#resize(deployment, { set, replicas: 0 }, signal)
    if (running.length > 0 || this.#hasPods(old)) return this.#writeStatus(deployment, sets, signal)
    const ensured = await this.#newSets.ensure(deployment, newest, old, signal)
    if (ensured.isChanged) return {}
    if (replicasOf(ensured.set) !== replicasOf(deployment))
      await this.#resize(deployment, { set: ensured.set, replicas: replicasOf(deployment) }, signal)
    else if (isRolledOut(deployment)) await this.#cleanUp(deployment, old, signal)
    return this.#writeStatus(deployment, [...old, ensured.set], signal)
  }

  #hasPods(sets: readonly ReplicaSet[]): boolean {
    const uids = new Set(sets.map(({ metadata }) => metadata.uid))
    return (
      sets.length > 0 &&
      this.#pods
        .list(sets[0]!.metadata.namespace)
        .some((pod) => uids.has(controllerOf(pod)?.uid ?? '') && !isPodTerminal(pod))
    )
  }

  /** A paused Deployment, or one whose size alone changed: no new ReplicaSet, but all of them in proportion. */
  async #scale(deployment: Deployment, sets: readonly ReplicaSet[], signal: AbortSignal): Promise<Result> {
    const { newest, old } = this.#split(deployment, sets)
    const resizes = planScaling(deployment, newest, old)
    for (const resize of resizes) await this.#resize(deployment, resize, signal)
    if (deployment.spec.paused === true && resizes.length === 0) await this.#cleanUp(deployment, old, signal)
    return this.#writeStatus(deployment, sets, signal)
  }

  async #resize(deployment: Deployment, { set, replicas }: Resize, signal: AbortSignal): Promise<void> {
    const desired = replicasOf(deployment)
    const annotations = {
      ...set.metadata.annotations,
      ...sizeAnnotations(desired, desired + boundsOf(deployment).surge),
    }
    const before = replicasOf(set)
    if (before === replicas && isDeepStrictEqual(annotations, set.metadata.annotations)) return
    await this.#client.update(
      REPLICASETS,
      { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } },
      signal,
    )
    if (before === replicas) return
    const message = `Scaled ${before < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${replicas}`
    this.#events.event(referenceTo(DEPLOYMENTS, deployment), 'Normal', 'ScalingReplicaSet', message)
  }

  async #cleanUp(deployment: Deployment, old: readonly ReplicaSet[], signal: AbortSignal): Promise<void> {
    for (const { metadata } of planCleanup(deployment, old))
      await ignoreGone(
        this.#client.delete(
          REPLICASETS,
          metadata.namespace!,
          metadata.name,
          { preconditions: { uid: metadata.uid } },
          signal,
        ),
      )
  }

  /** Pausing and resuming stop and restart the clock of the deadline; true when that was written. */
  async #markPaused(deployment: Deployment, signal: AbortSignal): Promise<boolean> {
    if (!hasDeadline(deployment)) return false
    const conditions = new Conditions(deployment.status?.conditions ?? [], this.#clock.now())
    const current = conditions.get('Progressing')
    const isMarked = current?.reason === 'DeploymentPaused'
    if (current?.reason === 'ProgressDeadlineExceeded') return false
    if (deployment.spec.paused === true && !isMarked)
      conditions.set({
        type: 'Progressing',
        status: 'Unknown',
        reason: 'DeploymentPaused',
        message: 'Deployment is paused',
      })
    else if (deployment.spec.paused !== true && isMarked)
      conditions.set({
        type: 'Progressing',
        status: 'Unknown',
        reason: 'DeploymentResumed',
        message: 'Deployment is resumed',
      })
    else return false
    await this.#client.updateStatus(
      DEPLOYMENTS,
      { ...deployment, status: { ...deployment.status, conditions: conditions.list() } },
      signal,
    )
    return true
  }

  async #writeStatus(deployment: Deployment, sets: readonly ReplicaSet[], signal: AbortSignal): Promise<Result> {
    const nowMs = this.#clock.now()
    const { newest } = this.#split(deployment, sets)
    const status = planStatus({ deployment, newest, sets, nowMs })
    if (!isSameStatus(status, deployment.status))
      await this.#client.updateStatus(DEPLOYMENTS, { ...deployment, status }, signal)
    const wait = untilDeadlineMs(deployment, status, nowMs)
    return wait === null ? {} : { requeueAfterMs: wait }
  }
}

function selectsEverything({ spec }: Deployment): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {}
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0
}

function isRolledOut({ spec, status, metadata }: Deployment): boolean {
  const desired = spec.replicas ?? 1
  return (
    status?.updatedReplicas === desired &&
    status.replicas === desired &&
    status.availableReplicas === desired &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  )
}
