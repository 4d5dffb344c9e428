/** Keeps one pod of each DaemonSet on every node that it is meant for. */
import { isDeepStrictEqual } from 'node:util'
import type { DaemonSet } from '#api/apps/v1.gen.ts'
import type { Node, Pod, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { DAEMONSETS, NODES } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import {
  ControllerRevisions,
  hashOf,
  REVISION_HASH_LABEL,
  type RevisionOwner,
} from '../history/controller-revisions.ts'
import { referenceTo } from '../object-key.ts'
import { OwnedPods } from '../pods/owned-pods.ts'
import { slowStart } from '../pods/slow-start.ts'
import { nextAvailabilityMs } from '../replicaset/plan.ts'
import { isSameStatus } from '../status.ts'
import { daemonTolerations } from './node-fit.ts'
import { generationOf, planNodes, planRollout, planStatus, targetNodeOf, type DaemonView } from './plan.ts'

const GENERATION_LABEL = 'pod-template-generation'
/** Pods that end at once are replaced more and more slowly. */
const [ENDED_BACKOFF_MS_MIN, ENDED_BACKOFF_MS_MAX] = [1_000, 15 * 60_000]
const HISTORY_LIMIT_DEFAULT = 10

type Backoff = { delayMs: number; atMs: number }

export class DaemonSetController implements Controller {
  readonly name = 'daemonset-controller'
  readonly workers = 2
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #sets: Informer<DaemonSet>
  readonly #nodes: Informer<Node>
  readonly #pods: OwnedPods
  readonly #revisions: ControllerRevisions
  readonly #backoffs = new Map<string, Backoff>()

  constructor(context: ControllerContext) {
    const { client, clock, events, informers } = context
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#sets = informers.informer(DAEMONSETS)
    this.#nodes = informers.informer(NODES)
    this.#pods = new OwnedPods(context, this.name, 'DaemonSet')
    this.#revisions = new ControllerRevisions(client, informers, this.name)
  }

  watch(enqueue: Enqueue): void {
    const onSet = (set: DaemonSet): void => enqueue(keyOf(set))
    this.#sets.addHandler({
      added: onSet,
      updated: onSet,
      deleted: (set) => {
        this.#pods.forget(keyOf(set))
        for (const key of this.#backoffs.keys()) if (key.startsWith(`${set.metadata.uid}/`)) this.#backoffs.delete(key)
      },
    })
    const onNode = (): void => this.#sets.list().forEach(onSet)
    this.#nodes.addHandler({
      added: onNode,
      updated: (node, old) => {
        if (!isDeepStrictEqual(placementOf(node), placementOf(old))) onNode()
      },
      deleted: onNode,
    })
    this.#pods.watch({ changed: enqueue })
    this.#revisions.watch('DaemonSet', enqueue)
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const set = this.#sets.get(key)
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return {}
    if (matcherOf(set.spec.selector).isEmpty) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.'
      this.#events.event(referenceTo(DAEMONSETS, set), 'Warning', 'SelectingAll', message)
      return {}
    }
    const owner: RevisionOwner = {
      resource: DAEMONSETS,
      object: set,
      template: set.spec.template,
      collisionCount: set.status?.collisionCount ?? 0,
      historyLimit: set.spec.revisionHistoryLimit ?? HISTORY_LIMIT_DEFAULT,
    }
    const revisions = await this.#revisions.ensure(owner, signal)
    const pods = this.#pods.of(set)
    const view = this.#viewOf(set, pods, hashOf(revisions.current))
    const waitMs = this.#pods.areCurrent(key) ? await this.#sync(key, view, signal) : null
    const live = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH_LABEL] ?? ''))
    await this.#revisions.prune(owner, revisions, live, signal)
    await this.#writeStatus(view, signal)
    const waits = [waitMs, nextAvailabilityMs(pods, set.spec.minReadySeconds ?? 0, view.nowMs)].filter(
      (w) => w !== null,
    )
    return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) }
  }

  #viewOf(set: DaemonSet, pods: readonly Pod[], hash: string): DaemonView {
    const nodes = this.#nodes.list()
    return { set, nodes, podsByNode: Map.groupBy(pods, targetNodeOf), hash, nowMs: this.#clock.now() }
  }

  /** Answers how long to wait before pods that ended may be replaced. */
  async #sync(key: string, view: DaemonView, signal: AbortSignal): Promise<number | null> {
    const plan = planNodes(view)
    const { due, waitMs } = this.#dueOf(view, plan.ended)
    if (plan.create.length + plan.delete.length + due.length > 0)
      await this.#apply(key, view, { create: plan.create, delete: [...plan.delete, ...due] }, signal)
    else await this.#apply(key, view, planRollout(view), signal)
    return waitMs
  }

  #dueOf({ set }: DaemonView, ended: readonly Pod[]): { due: Pod[]; waitMs: number | null } {
    const nowMs = this.#clock.monotonic()
    const due: Pod[] = []
    let waitMs: number | null = null
    for (const pod of ended) {
      const node = targetNodeOf(pod)
      const key = `${set.metadata.uid}/${node}`
      const backoff = this.#backoffs.get(key)
      const leftMs = backoff === undefined ? 0 : backoff.atMs + backoff.delayMs - nowMs
      if (leftMs > 0 && pod.status?.phase === 'Failed') {
        waitMs = Math.min(waitMs ?? leftMs, leftMs)
        continue
      }
      const isFresh = backoff === undefined || nowMs - backoff.atMs > 2 * ENDED_BACKOFF_MS_MAX
      const delayMs = isFresh ? ENDED_BACKOFF_MS_MIN : Math.min(ENDED_BACKOFF_MS_MAX, backoff.delayMs * 2)
      this.#backoffs.set(key, { delayMs, atMs: nowMs })
      this.#tellEnded(set, pod, node)
      due.push(pod)
    }
    return { due, waitMs }
  }

  #tellEnded(set: DaemonSet, { metadata: { namespace, name }, status }: Pod, node: string): void {
    const about = referenceTo(DAEMONSETS, set)
    const [type, reason, message] =
      status?.phase === 'Failed'
        ? ([
            'Warning',
            'FailedDaemonPod',
            `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
          ] as const)
        : ([
            'Normal',
            'SucceededDaemonPod',
            `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
          ] as const)
    this.#events.event(about, type, reason, message)
  }

  async #apply(
    key: string,
    view: DaemonView,
    { create, delete: doomed }: { readonly create: readonly string[]; readonly delete: readonly Pod[] },
    signal: AbortSignal,
  ): Promise<void> {
    const owner = { resource: DAEMONSETS, object: view.set }
    const nodes = create.values()
    const created = await slowStart(create.length, async () => {
      const node = nodes.next().value
      if (node === undefined) return
      await this.#pods.create(key, owner, templateFor(view, node), signal)
    })
    const failed = await this.#pods.deleteAll(key, owner, doomed, signal)
    if (created.error !== undefined) throw created.error
    if (failed !== undefined) throw failed.reason
  }

  async #writeStatus(view: DaemonView, signal: AbortSignal): Promise<void> {
    const status = planStatus(view)
    if (isSameStatus(status, view.set.status)) return
    await this.#client.updateStatus<DaemonSet>(DAEMONSETS, { ...view.set, status }, signal)
  }
}

/** The pod is bound to its node by affinity: the scheduler still looks whether it fits. */
function templateFor({ set, hash }: DaemonView, node: string): PodTemplateSpec {
  const { metadata, spec } = set.spec.template
  const generation = generationOf(set)
  const labels = {
    ...metadata?.labels,
    [REVISION_HASH_LABEL]: hash,
    ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
  }
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }]
  const nodeAffinity = {
    ...spec!.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
  }
  return {
    metadata: { ...metadata, labels },
    spec: { ...spec!, affinity: { ...spec!.affinity, nodeAffinity }, tolerations: daemonTolerations(spec!) },
  }
}

/** What of a node decides where daemons run. */
function placementOf({ metadata, spec }: Node): unknown {
  return [metadata.labels ?? {}, spec?.taints ?? [], spec?.unschedulable ?? false]
}
