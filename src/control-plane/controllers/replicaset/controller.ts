/** Keeps the number of pods of each ReplicaSet equal to `spec.replicas`. */
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { REPLICASETS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { controllerOf } from '../object-key.ts'
import { onAnyChange } from '../on-change.ts'
import { OwnedPods } from '../pods/owned-pods.ts'
import type { PodOwner } from '../pods/pod-control.ts'
import { isPodActive } from '../pods/pod-state.ts'
import { slowStart } from '../pods/slow-start.ts'
import { isSameStatus } from '../status.ts'
import { nextAvailabilityMs, planReplicaSet, planStatus, type Failure } from './plan.ts'

/** ReplicaSets, or the older ReplicationControllers: the same in all but name and form of the selector. */
export type ReplicaKind = {
  readonly controller: string
  readonly resource: ResourceRef<ReplicaSet>
  selectorOf(set: ReplicaSet): LabelSelector | undefined
}

const REPLICA_SET_KIND: ReplicaKind = {
  controller: 'replicaset-controller',
  resource: REPLICASETS,
  selectorOf: (set) => set.spec.selector,
}

export class ReplicaSetController implements Controller {
  readonly name: string
  readonly workers = 5
  readonly #kind: ReplicaKind
  readonly #client: Client
  readonly #clock: Clock
  readonly #sets: Informer<ReplicaSet>
  readonly #pods: OwnedPods

  constructor(context: ControllerContext, kind: ReplicaKind = REPLICA_SET_KIND) {
    this.name = kind.controller
    this.#kind = kind
    this.#client = context.client
    this.#clock = context.clock
    this.#sets = context.informers.informer(kind.resource)
    this.#pods = new OwnedPods(context, kind.controller, kind.resource.kind)
  }

  watch(enqueue: Enqueue): void {
    onAnyChange(this.#sets, (set) => enqueue(keyOf(set)))
    this.#sets.addHandler({ deleted: (set) => this.#pods.forget(keyOf(set)) })
    this.#pods.watch({
      changed: enqueue,
      // An orphan wakes all sets that might adopt it.
      orphan: ({ metadata: { namespace, labels = {} } }) => {
        for (const set of this.#sets.list(namespace))
          if (matcherOf(this.#kind.selectorOf(set)).matches(labels)) enqueue(keyOf(set))
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const set = this.#sets.get(key)
    if (set === undefined) return {} // Deleted: its pods now belong to the garbage collector.
    const owner: PodOwner = { resource: this.#kind.resource, object: set }
    const pods = await this.#claimPods(set, owner, signal)
    const isCurrent = this.#pods.areCurrent(key)
    const failure =
      isCurrent && set.metadata.deletionTimestamp === undefined
        ? await this.#manage(key, set, owner, pods, signal)
        : null
    await this.#writeStatus(set, pods, failure?.failure ?? null, signal)
    if (failure !== null) throw failure.error
    const wait = nextAvailabilityMs(pods, set.spec.minReadySeconds ?? 0, this.#clock.now())
    return wait === null ? {} : { requeueAfterMs: wait }
  }

  /** The set's own pods, after orphans that match were adopted and pods that do not match were released. */
  async #claimPods(set: ReplicaSet, owner: PodOwner, signal: AbortSignal): Promise<Pod[]> {
    const selector = matcherOf(this.#kind.selectorOf(set))
    const isLive = set.metadata.deletionTimestamp === undefined
    const claimed: Pod[] = []
    for (const pod of this.#pods.of(set))
      if (selector.matches(pod.metadata.labels ?? {})) claimed.push(pod)
      else if (isLive) await this.#pods.control.release(owner, pod, signal)
    if (!isLive) return claimed
    for (const pod of this.#pods.orphansIn(set.metadata.namespace))
      if (isPodActive(pod) && selector.matches(pod.metadata.labels ?? {})) {
        await this.#pods.control.adopt(owner, pod, signal)
        claimed.push(pod)
      }
    return claimed
  }

  async #manage(
    key: string,
    set: ReplicaSet,
    owner: PodOwner,
    pods: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ failure: Failure; error: unknown } | null> {
    const plan = planReplicaSet(set, pods, (pod) => this.#crowding(set, pod), this.#clock.now())
    const created = await slowStart(plan.create, () => this.#pods.create(key, owner, set.spec.template, signal))
    if (isNamespaceTerminating(created.error)) return null // No pod can be made there, and none is wanted.
    if (created.error !== undefined)
      return { failure: { reason: 'FailedCreate', message: (created.error as Error).message }, error: created.error }
    const failed = await this.#pods.deleteAll(key, owner, plan.delete, signal)
    return failed === undefined
      ? null
      : { failure: { reason: 'FailedDelete', message: (failed.reason as Error).message }, error: failed.reason }
  }

  /** Active pods of the same Deployment (or of this set alone) on the pod's node. */
  #crowding(set: ReplicaSet, pod: Pod): number {
    if (!pod.spec.nodeName) return 0
    const deployment = controllerOf(set)?.uid
    const family =
      deployment === undefined
        ? [set]
        : this.#sets.list(set.metadata.namespace).filter((other) => controllerOf(other)?.uid === deployment)
    return family
      .flatMap((member) => this.#pods.of(member))
      .filter((other) => isPodActive(other) && other.spec.nodeName === pod.spec.nodeName).length
  }

  async #writeStatus(
    set: ReplicaSet,
    pods: readonly Pod[],
    failure: Failure | null,
    signal: AbortSignal,
  ): Promise<void> {
    const status = planStatus(set, pods, failure, this.#clock.now())
    if (isSameStatus(status, set.status)) return
    await ignoreGone(this.#client.updateStatus(this.#kind.resource, { ...set, status }, signal))
  }
}
