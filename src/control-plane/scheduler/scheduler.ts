/** Places pods on nodes: takes pods without a node from the queue, finds the best node for each, and binds it. */
import type { Clock, Timer } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import {
  CSIDRIVERS,
  CSINODES,
  CSISTORAGECAPACITIES,
  NAMESPACES,
  NODES,
  PERSISTENTVOLUMECLAIMS,
  PERSISTENTVOLUMES,
  PODDISRUPTIONBUDGETS,
  PODS,
  REPLICASETS,
  REPLICATIONCONTROLLERS,
  SERVICES,
  STATEFULSETS,
  STORAGECLASSES,
} from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder, ObjectReference } from '#client/event-recorder.ts'
import { keyOf, type InformerFactory } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { ClusterCache } from './cache/cluster-cache.ts'
import { toPodInfo } from './cache/node-info.ts'
import { SchedulingCycle, countReasons, formatDiagnosis, type Diagnosis } from './cycle.ts'
import type { ClusterEvent, CycleState, Plugin, Rejection, WeightedPlugin } from './framework.ts'
import type { AttemptResult, PendingPods, SchedulerMetrics } from './metrics.ts'
import { isOfInterestToQueue } from './node-changes.ts'
import { defaultPlugins } from './plugins/index.ts'
import { patchPodStatus, type PodStatusChange } from './pod-status.ts'
import { Nominator } from './queue/nominator.ts'
import { SchedulingQueue, type QueuedPod } from './queue/scheduling-queue.ts'

export type SchedulerOptions = {
  readonly client: Client
  readonly informers: InformerFactory
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** Pods whose spec.schedulerName is this. */
  readonly schedulerName?: string
  readonly plugins?: readonly WeightedPlugin[]
  readonly percentageOfNodesToScore?: number
  readonly metrics?: SchedulerMetrics
}

/** Why a pod was not placed. */
type Failure = {
  readonly message: string
  readonly rejectedBy?: readonly string[]
  readonly reason?: 'Unschedulable' | 'SchedulerError'
  /** As in PostFilterResult. */
  readonly nominatedNode?: string | null
}

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler'
/** What may help pods that wait for volumes. */
const STORAGE_EVENTS: readonly (readonly [ResourceRef, ClusterEvent['resource']])[] = [
  [PERSISTENTVOLUMECLAIMS, 'claim'],
  [PERSISTENTVOLUMES, 'volume'],
  [STORAGECLASSES, 'storage-class'],
  [CSISTORAGECAPACITIES, 'storage-capacity'],
  [CSIDRIVERS, 'csi-driver'],
  [CSINODES, 'csi-node'],
]
const FLUSH_INTERVAL_MS = 30_000
/** Events hold messages of up to 1024 bytes. */
const EVENT_MESSAGE_LENGTH_MAX = 1024

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #name: string
  readonly #plugins: readonly Plugin[]
  readonly #cache = new ClusterCache()
  readonly #nominator = new Nominator()
  #flush: Timer | null = null
  readonly #queue: SchedulingQueue
  readonly #cycle: SchedulingCycle

  constructor(options: SchedulerOptions) {
    const weighted = options.plugins ?? this.#defaultPlugins(options)
    this.#options = options
    this.#name = options.schedulerName ?? DEFAULT_SCHEDULER_NAME
    this.#plugins = weighted.map(({ plugin }) => plugin)
    const names = new Set(this.#plugins.map(({ name }) => name))
    if (names.size !== this.#plugins.length) throw new Error('two scheduler plugins have the same name')
    this.#queue = new SchedulingQueue({ clock: options.clock, plugins: this.#plugins })
    this.#cycle = new SchedulingCycle({
      plugins: weighted,
      random: options.random,
      percentageOfNodesToScore: options.percentageOfNodesToScore ?? 0,
      nominations: this.#nominator,
    })
  }

  /** Numbers of waiting pods, for the metric scheduler_pending_pods. */
  pendingPods(): PendingPods {
    return this.#queue.counts()
  }

  /** Registers with the informers (their start belongs to the caller) and schedules until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#watchNodes()
    this.#watchPods()
    this.#watchStorage()
    signal.addEventListener('abort', () => this.#queue.close(), { once: true })
    await this.#options.informers.synced()
    this.#scheduleFlush()
    signal.addEventListener('abort', () => this.#flush?.cancel(), { once: true })
    for (let queued = await this.#queue.pop(); queued !== null; queued = await this.#queue.pop()) {
      await this.#scheduleOne(queued, signal)
      await this.#options.clock.yield()
    }
  }

  #scheduleFlush(): void {
    this.#flush = this.#options.clock.setTimer(FLUSH_INTERVAL_MS, () => {
      this.#queue.flushOld()
      this.#scheduleFlush()
    })
  }

  #watchNodes(): void {
    this.#options.informers.informer<Node>(NODES).addHandler({
      added: (node) => {
        this.#cache.setNode(node)
        this.#queue.notice({ resource: 'node', action: 'add', object: node })
      },
      updated: (node, old) => {
        this.#cache.setNode(node)
        if (isOfInterestToQueue(node, old))
          this.#queue.notice({ resource: 'node', action: 'update', object: node, old })
      },
      deleted: (node) => {
        this.#cache.removeNode(node.metadata.name)
        this.#queue.notice({ resource: 'node', action: 'delete', object: node })
        this.#forgetNominations(node.metadata.name)
      },
    })
  }

  /** The node went, and with it the places that were promised on it: those pods look for another one at once. */
  #forgetNominations(nodeName: string): void {
    for (const { pod } of this.#nominator.podsOn(nodeName)) {
      this.#nominator.delete(pod.metadata.uid)
      this.#queue.activate(pod.metadata.uid)
      void this.#patchStatus(pod, { nominatedNodeName: '' })
    }
  }

  #watchStorage(): void {
    for (const [resource, kind] of STORAGE_EVENTS)
      this.#options.informers.informer<KubernetesObject>(resource).addHandler({
        added: (object) => this.#queue.notice({ resource: kind, action: 'add', object }),
        updated: (object, old) => this.#queue.notice({ resource: kind, action: 'update', object, old }),
        deleted: (object) => this.#queue.notice({ resource: kind, action: 'delete', object }),
      })
  }

  #watchPods(): void {
    this.#options.informers.informer<Pod>(PODS).addHandler({
      added: (pod) => this.#podChanged(pod, undefined),
      updated: (pod, old) => this.#podChanged(pod, old),
      deleted: (pod) => this.#podGone(pod),
    })
  }

  #podChanged(pod: Pod, old: Pod | undefined): void {
    if (old !== undefined && old.metadata.uid !== pod.metadata.uid) this.#podGone(old)
    if (isFinished(pod)) return this.#podGone(pod)
    if (pod.spec.nodeName) {
      this.#queue.remove(pod.metadata.uid)
      this.#nominator.delete(pod.metadata.uid)
      this.#cache.setPod(pod)
      const action = old?.spec.nodeName ? 'update' : 'add'
      return this.#queue.notice({
        resource: 'assigned-pod',
        action,
        object: pod,
        ...(old === undefined ? {} : { old }),
      })
    }
    if (!this.#isOurs(pod) || this.#cache.isAssumed(pod.metadata.uid)) return
    if (old === undefined || old.metadata.uid !== pod.metadata.uid) {
      this.#nominator.set(pod, pod.status?.nominatedNodeName ?? '')
      this.#queue.add(pod)
    } else {
      this.#nominator.update(pod, old)
      this.#queue.update(pod, old)
    }
  }

  #podGone(pod: Pod): void {
    this.#queue.remove(pod.metadata.uid)
    this.#nominator.delete(pod.metadata.uid)
    this.#cache.removePod(pod.metadata.uid)
    if (pod.spec.nodeName) this.#queue.notice({ resource: 'assigned-pod', action: 'delete', object: pod })
  }

  #isOurs(pod: Pod): boolean {
    return (pod.spec.schedulerName ?? DEFAULT_SCHEDULER_NAME) === this.#name
  }

  async #scheduleOne(queued: QueuedPod, signal: AbortSignal): Promise<void> {
    const { pod } = queued
    if (pod.metadata.deletionTimestamp !== undefined) return this.#queue.done(queued.uid)
    queued.startedAtMs = this.#options.clock.monotonic()
    const state: CycleState = new Map()
    try {
      const nodeCount = this.#cache.nodes().length
      if (nodeCount === 0) return await this.#reject(queued, { message: 'no nodes available to schedule pods' }, signal)
      const result = this.#cycle.run(state, pod, this.#cache)
      this.#options.metrics?.decided(this.#options.clock.monotonic() - queued.startedAtMs)
      if (result.outcome === 'no-fit') return await this.#noFit(queued, state, result.diagnosis, signal)
      this.#cache.assume(toPodInfo(pod), result.node)
      this.#nominator.delete(pod.metadata.uid)
      const rejection = this.#reserve(state, pod, result.node)
      if (rejection !== null) return await this.#giveUp(queued, state, result.node, rejection, signal)
      // The next pod is looked at while this one is bound: the cache already counts it on its node.
      void this.#bind(queued, state, result.node, signal)
    } catch (error) {
      await this.#failed(queued, error, signal)
    }
  }

  async #noFit(queued: QueuedPod, state: CycleState, diagnosis: Diagnosis, signal: AbortSignal): Promise<void> {
    let [postFilterMessage, nominatedNode]: [string, string | null] = ['', '']
    for (const plugin of this.#plugins) {
      if (plugin.postFilter === undefined) continue
      const after = await plugin.postFilter(state, queued.pod, diagnosis, this.#cache)
      ;[postFilterMessage, nominatedNode] = [after.message, after.nominatedNode]
      if (after.nominatedNode) break
    }
    const message = formatDiagnosis(diagnosis, postFilterMessage)
    await this.#reject(queued, { message, rejectedBy: diagnosis.rejectedBy, nominatedNode }, signal)
  }

  #reserve(state: CycleState, pod: Pod, node: string): Rejection | null {
    for (const plugin of this.#plugins) {
      const rejection = plugin.reserve?.(state, pod, node) ?? null
      if (rejection !== null) return { ...rejection, plugin: plugin.name }
    }
    return null
  }

  async #bind(queued: QueuedPod, state: CycleState, node: string, signal: AbortSignal): Promise<void> {
    const { pod } = queued
    try {
      for (const plugin of this.#plugins) {
        const rejection = (await plugin.permit?.(state, pod, node)) ?? null
        if (rejection !== null)
          return await this.#giveUp(queued, state, node, { ...rejection, plugin: plugin.name }, signal)
      }
      // From here on any failure is an error, after which the pod is tried again whatever happens: no events need to be kept for it.
      this.#queue.done(queued.uid)
      await this.#preBind(state, pod, node, signal)
      if (!(await this.#runBinders(state, pod, node, signal))) throw new Error('no plugin bound the pod')
      this.#countAttempt(queued, 'scheduled')
      this.#options.metrics?.bound(queued.attempts)
      this.#options.events.event(
        referenceOf(pod),
        'Normal',
        'Scheduled',
        `Successfully assigned ${keyOf(pod)} to ${node}`,
      )
    } catch (error) {
      this.#unreserve(state, pod, node)
      await this.#failed(queued, error, signal)
    }
  }

  async #preBind(state: CycleState, pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    // Tells others, such as a cluster autoscaler, where the pod will go while it waits.
    if (this.#plugins.some((plugin) => plugin.willPreBind?.(state, pod, node)))
      await this.#patchStatus(pod, { nominatedNodeName: node }, signal)
    for (const plugin of this.#plugins) {
      const rejection = (await plugin.preBind?.(state, pod, node, signal)) ?? null
      if (rejection !== null) throw new Error(rejection.reasons.join(', '))
    }
  }

  async #runBinders(state: CycleState, pod: Pod, node: string, signal: AbortSignal): Promise<boolean> {
    for (const plugin of this.#plugins)
      if (plugin.bind !== undefined && (await plugin.bind(state, pod, node, this.#options.client, signal))) return true
    return false
  }

  #giveUp(
    queued: QueuedPod,
    state: CycleState,
    node: string,
    rejection: Rejection,
    signal: AbortSignal,
  ): Promise<void> {
    this.#unreserve(state, queued.pod, node)
    const rejectedBy = rejection.plugin === undefined ? [] : [rejection.plugin]
    const message = `0/1 nodes are available: ${countReasons([rejection])}.`
    return this.#reject(queued, { message, rejectedBy }, signal)
  }

  #unreserve(state: CycleState, pod: Pod, node: string): void {
    for (const plugin of this.#plugins.toReversed()) plugin.unreserve?.(state, pod, node)
    this.#cache.forget(pod.metadata.uid)
    this.#queue.notice({ resource: 'assigned-pod', action: 'delete', object: pod })
  }

  /** An error, not a verdict: the pod is tried again after its backoff. What was not found may be its claim or volume. */
  async #failed(queued: QueuedPod, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return this.#queue.done(queued.uid)
    this.#options.log.error('pod could not be scheduled', { pod: keyOf(queued.pod), error: String(error) })
    const message = error instanceof Error ? error.message : String(error)
    await this.#reject(queued, { message, reason: 'SchedulerError' }, signal)
  }

  async #reject(
    queued: QueuedPod,
    { message, rejectedBy = [], reason = 'Unschedulable', nominatedNode = '' }: Failure,
    signal: AbortSignal,
  ): Promise<void> {
    this.#countAttempt(queued, reason === 'Unschedulable' ? 'unschedulable' : 'error')
    const current = this.#options.informers.informer<Pod>(PODS).get(keyOf(queued.pod))
    if (current === undefined || current.spec.nodeName || current.metadata.uid !== queued.uid)
      return this.#queue.done(queued.uid)
    // A pod that no plugin rejected waits for a node: without nodes there is nobody to name.
    this.#queue.fail(queued, current, reason === 'Unschedulable' && rejectedBy.length === 0 ? ['NodeName'] : rejectedBy)
    // Known here before the API server tells: the next cycle is about to begin.
    if (nominatedNode !== null) this.#nominator.set(current, nominatedNode)
    const text =
      message.length > EVENT_MESSAGE_LENGTH_MAX ? `${message.slice(0, EVENT_MESSAGE_LENGTH_MAX - 4)} ...` : message
    this.#options.events.event(referenceOf(current), 'Warning', 'FailedScheduling', text)
    const condition = { type: 'PodScheduled', status: 'False', reason, message }
    const nomination = nominatedNode === null ? {} : { nominatedNodeName: nominatedNode }
    await this.#patchStatus(current, { condition, ...nomination }, signal)
  }

  #countAttempt({ startedAtMs }: QueuedPod, result: AttemptResult): void {
    this.#options.metrics?.attempted(result, this.#options.clock.monotonic() - startedAtMs)
  }

  async #patchStatus(pod: Pod, change: PodStatusChange, signal?: AbortSignal): Promise<void> {
    try {
      await patchPodStatus(this.#options, pod, change, signal)
    } catch (error) {
      if (!isNotFound(error) && signal?.aborted !== true)
        this.#options.log.warn('pod status not written', { pod: keyOf(pod), error: String(error) })
    }
  }

  /** They read what they need from the informers. */
  #defaultPlugins(options: SchedulerOptions): readonly WeightedPlugin[] {
    const { informers } = options
    const [namespaces, budgets] = [informers.informer(NAMESPACES), informers.informer(PODDISRUPTIONBUDGETS)]
    return defaultPlugins({
      ...options,
      namespaceLabels: (namespace) => namespaces.get(namespace)?.metadata.labels ?? {},
      budgets: () => budgets.list(),
      nominatedTo: (nodeName) => this.#nominator.podsOn(nodeName).map(({ pod }) => pod),
      preempted: (uid, outcome) => (outcome === 'evicted' ? this.#queue.recheckGate(uid) : this.#queue.activate(uid)),
      services: informers.informer(SERVICES),
      replicationControllers: informers.informer(REPLICATIONCONTROLLERS),
      replicaSets: informers.informer(REPLICASETS),
      statefulSets: informers.informer(STATEFULSETS),
      nodes: informers.informer(NODES),
      pods: informers.informer(PODS),
      claims: informers.informer(PERSISTENTVOLUMECLAIMS),
      volumes: informers.informer(PERSISTENTVOLUMES),
      classes: informers.informer(STORAGECLASSES),
      drivers: informers.informer(CSIDRIVERS),
      capacities: informers.informer(CSISTORAGECAPACITIES),
      csiNodes: informers.informer(CSINODES),
      watchVolumes: (changed) => {
        for (const resource of [PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES])
          informers
            .informer<KubernetesObject>(resource)
            .addHandler({ added: changed, updated: changed, deleted: changed })
      },
    })
  }
}

const isFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function referenceOf(pod: Pod): ObjectReference {
  const { namespace, name, uid, resourceVersion } = pod.metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    resourceVersion,
  }
}
