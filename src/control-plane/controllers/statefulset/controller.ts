/** Keeps the pods of each StatefulSet, one per ordinal with its own name and claims, and updates them in order. */
import type { ControllerRevision, StatefulSet } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { ControllerRevisions, templateOf, type RevisionOwner } from '../history/controller-revisions.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { referenceTo } from '../object-key.ts'
import { OwnedPods } from '../pods/owned-pods.ts'
import { nextAvailabilityMs } from '../replicaset/plan.ts'
import { isSameStatus } from '../status.ts'
import { StatefulSetClaims } from './claims.ts'
import { ordinalOf, podName, podOf, revisionOf } from './identity.ts'
import { condemnedOf, planPods, planStatus, type SetView } from './plan.ts'

const HISTORY_LIMIT_DEFAULT = 10

export class StatefulSetController implements Controller {
  readonly name = 'statefulset-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #sets: Informer<StatefulSet>
  readonly #pods: OwnedPods
  readonly #claims: StatefulSetClaims
  readonly #revisions: ControllerRevisions

  constructor(context: ControllerContext) {
    const { client, clock, events, informers } = context
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#sets = informers.informer(STATEFULSETS)
    this.#pods = new OwnedPods(context, this.name, 'StatefulSet')
    this.#claims = new StatefulSetClaims(client, events, informers.informer(PERSISTENTVOLUMECLAIMS))
    this.#revisions = new ControllerRevisions(client, informers, this.name)
  }

  watch(enqueue: Enqueue): void {
    const onSet = (set: StatefulSet): void => enqueue(keyOf(set))
    this.#sets.addHandler({ added: onSet, updated: onSet })
    this.#pods.watch({
      changed: enqueue,
      orphan: (pod) => {
        for (const set of this.#sets.list(pod.metadata.namespace)) if (ordinalOf(set, pod) !== null) onSet(set)
      },
    })
    this.#revisions.watch('StatefulSet', enqueue)
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const set = this.#sets.get(key)
    if (set === undefined) return {}
    const pods = await this.#claimPods(set, signal)
    const owner: RevisionOwner = {
      resource: STATEFULSETS,
      object: set,
      template: set.spec.template,
      collisionCount: set.status?.collisionCount ?? 0,
      historyLimit: set.spec.revisionHistoryLimit ?? HISTORY_LIMIT_DEFAULT,
    }
    const revisions = await this.#revisions.ensure(owner, signal)
    const update = revisions.current.metadata.name
    const known = revisions.all.find(({ metadata }) => metadata.name === set.status?.currentRevision)
    const current = known?.metadata.name ?? update
    const view: SetView = { set, pods, current, update, nowMs: this.#clock.now() }
    if (set.metadata.deletionTimestamp === undefined) await this.#apply(view, revisions.all, signal)
    await this.#writeStatus(view, signal)
    const live = new Set([current, update, ...pods.map(revisionOf)])
    const used = revisions.all.filter(({ metadata }) => live.has(metadata.name))
    const usedHashes = new Set(used.map(({ metadata }) => metadata.labels?.['controller-revision-hash'] ?? ''))
    await this.#revisions.prune(owner, revisions, usedHashes, signal)
    const waitMs = nextAvailabilityMs(pods, set.spec.minReadySeconds ?? 0, view.nowMs)
    return waitMs === null ? {} : { requeueAfterMs: waitMs }
  }

  /** The set's own pods; orphans with one of its names are adopted. */
  async #claimPods(set: StatefulSet, signal: AbortSignal): Promise<Pod[]> {
    const selector = matcherOf(set.spec.selector)
    const owned = this.#pods.of(set).filter((pod) => ordinalOf(set, pod) !== null)
    const orphans = this.#pods
      .orphansIn(set.metadata.namespace)
      .filter((pod) => ordinalOf(set, pod) !== null && selector.matches(pod.metadata.labels))
    if (set.metadata.deletionTimestamp !== undefined) return owned
    for (const pod of orphans) await this.#pods.control.adopt({ resource: STATEFULSETS, object: set }, pod, signal)
    return [...owned, ...orphans]
  }

  async #apply(view: SetView, revisions: readonly ControllerRevision[], signal: AbortSignal): Promise<void> {
    const { set } = view
    const condemned = new Set(condemnedOf(view))
    if (set.spec.persistentVolumeClaimRetentionPolicy !== undefined)
      for (const pod of view.pods)
        await this.#claims.updateOwners(set, pod, ordinalOf(set, pod)!, condemned.has(pod), signal)
    const plan = planPods(view)
    for (const { ordinal, revision } of plan.create) {
      await this.#claims.ensure(set, ordinal, signal)
      const source = revisions.find(({ metadata }) => metadata.name === revision)
      const template = source === undefined ? set.spec.template : templateOf(source)
      await this.#write('create', set, podName(set, ordinal), signal, () =>
        this.#client.create<Pod>(PODS, podOf(set, template, revision, ordinal), signal),
      )
    }
    for (const { metadata } of plan.delete)
      await this.#write('delete', set, metadata.name, signal, () =>
        this.#client.delete(PODS, metadata.namespace!, metadata.name, { preconditions: { uid: metadata.uid } }, signal),
      )
  }

  async #write(
    verb: 'create' | 'delete',
    set: StatefulSet,
    pod: string,
    signal: AbortSignal,
    write: () => Promise<unknown>,
  ): Promise<void> {
    const about = referenceTo(STATEFULSETS, set)
    const reason = verb === 'create' ? 'Create' : 'Delete'
    const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`
    try {
      await write()
      this.#events.event(about, 'Normal', `Successful${reason}`, `${what} successful`)
    } catch (error) {
      // The informer is behind: what shall be done is done.
      if (verb === 'create' ? isAlreadyExists(error) : isNotFound(error)) return
      if (!signal.aborted)
        this.#events.event(about, 'Warning', `Failed${reason}`, `${what} failed error: ${(error as Error).message}`)
      throw error
    }
  }

  async #writeStatus(view: SetView, signal: AbortSignal): Promise<void> {
    const status = planStatus(view)
    if (isSameStatus(status, view.set.status)) return
    await ignoreGone(this.#client.updateStatus<StatefulSet>(STATEFULSETS, { ...view.set, status }, signal))
  }
}
