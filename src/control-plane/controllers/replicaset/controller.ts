/** Keeps the number of pods of each ReplicaSet equal to `spec.replicas`. */
import { isDeepStrictEqual } from 'node:util'
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS, REPLICASETS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { controllerOf } from '../object-key.ts'
import { Expectations } from '../pods/expectations.ts'
import { PodControl, type PodOwner } from '../pods/pod-control.ts'
import { isPodActive } from '../pods/pod-state.ts'
import { slowStart } from '../pods/slow-start.ts'
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
  readonly #byOwner: string
  readonly #client: Client
  readonly #clock: Clock
  readonly #sets: Informer<ReplicaSet>
  readonly #pods: Informer<Pod>
  readonly #podControl: PodControl
  readonly #expectations: Expectations

  constructor({ client, informers, clock, events }: ControllerContext, kind: ReplicaKind = REPLICA_SET_KIND) {
    this.name = kind.controller
    this.#kind = kind
    this.#byOwner = `${kind.controller}/owner`
    this.#client = client
    this.#clock = clock
    this.#sets = informers.informer(kind.resource)
    this.#pods = informers.informer(PODS)
    this.#podControl = new PodControl(client, events)
    this.#expectations = new Expectations(clock)
  }

  watch(enqueue: Enqueue): void {
    this.#pods.addIndex(this.#byOwner, (pod) => (pod.metadata.ownerReferences ?? []).map(({ uid }) => uid))
    const onSet = (set: ReplicaSet): void => enqueue(keyOf(set))
    this.#sets.addHandler({
      added: onSet,
      updated: onSet,
      deleted: (set) => {
        this.#expectations.forget(keyOf(set))
        onSet(set)
      },
    })
    const onPod = (pod: Pod): void => this.#podChanged(pod, enqueue)
    this.#pods.addHandler({
      added: onPod,
      updated: (pod, old) => {
        if (controllerOf(old)?.uid !== controllerOf(pod)?.uid) this.#podChanged(old, enqueue)
        onPod(pod)
      },
      deleted: onPod,
    })
  }

  #podChanged(pod: Pod, enqueue: Enqueue): void {
    const owner = controllerOf(pod)
    const { namespace, uid } = pod.metadata
    if (owner?.kind === this.#kind.resource.kind) {
      const key = `${namespace}/${owner.name}`
      this.#expectations.observe(key, uid)
      return enqueue(key)
    }
    if (owner !== undefined) return
    // An orphan wakes all sets that might adopt it.
    for (const set of this.#sets.list(namespace))
      if (matcherOf(this.#kind.selectorOf(set)).matches(pod.metadata.labels ?? {})) enqueue(keyOf(set))
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const set = this.#sets.get(key)
    if (set === undefined) return {} // Deleted: its pods now belong to the garbage collector.
    const owner: PodOwner = { resource: this.#kind.resource, object: set }
    const pods = await this.#claimPods(set, owner, signal)
    const isCurrent = this.#expectations.areMet(key)
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
    for (const pod of this.#pods.byIndex(this.#byOwner, set.metadata.uid)) {
      if (controllerOf(pod)?.uid !== set.metadata.uid) continue
      if (selector.matches(pod.metadata.labels ?? {})) claimed.push(pod)
      else if (isLive) await this.#podControl.release(owner, pod, signal)
    }
    if (!isLive) return claimed
    for (const pod of this.#pods.list(set.metadata.namespace))
      if (controllerOf(pod) === undefined && isPodActive(pod) && selector.matches(pod.metadata.labels ?? {})) {
        await this.#podControl.adopt(owner, pod, signal)
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
    const created = await slowStart(plan.create, async () => {
      const pod = await this.#podControl.create(owner, set.spec.template, signal)
      this.#expectCreated(key, pod)
    })
    if (isNamespaceTerminating(created.error)) return null // No pod can be made there, and none is wanted.
    if (created.error !== undefined)
      return { failure: { reason: 'FailedCreate', message: (created.error as Error).message }, error: created.error }
    const deletions = await Promise.allSettled(
      plan.delete.map(async (pod) => {
        this.#expectations.expect(key, pod.metadata.uid)
        await this.#podControl.delete(owner, pod, signal).catch((error: unknown) => {
          this.#expectations.observe(key, pod.metadata.uid)
          throw error
        })
      }),
    )
    const failed = deletions.find((result) => result.status === 'rejected')
    return failed === undefined
      ? null
      : { failure: { reason: 'FailedDelete', message: (failed.reason as Error).message }, error: failed.reason }
  }

  /** The informer may have been faster than the answer. */
  #expectCreated(key: string, pod: Pod): void {
    if (this.#pods.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid) this.#expectations.expect(key, pod.metadata.uid)
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
      .flatMap((member) => this.#pods.byIndex(this.#byOwner, member.metadata.uid))
      .filter((other) => isPodActive(other) && other.spec.nodeName === pod.spec.nodeName).length
  }

  async #writeStatus(
    set: ReplicaSet,
    pods: readonly Pod[],
    failure: Failure | null,
    signal: AbortSignal,
  ): Promise<void> {
    const status = planStatus(set, pods, failure, this.#clock.now())
    if (isDeepStrictEqual(normalizeStatus(status), normalizeStatus(set.status))) return
    await this.#client.updateStatus(this.#kind.resource, { ...set, status }, signal).catch((error: unknown) => {
      if (!isNotFound(error)) throw error // The set is gone: so is its status.
    })
  }
}

/** Absent numbers are zeros. */
function normalizeStatus(status: ReplicaSet['status']): unknown {
  const { conditions, ...numbers } = status ?? { replicas: 0 }
  return {
    conditions: conditions ?? [],
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0)),
  }
}
