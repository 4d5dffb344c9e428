/** The pods of Jobs: finds, creates, deletes and releases them, and knows what the informer does not show yet. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { JOBS, PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { ControllerContext } from '../controller.ts'
import { controllerOf } from '../object-key.ts'
import { Expectations } from '../pods/expectations.ts'
import { PodControl } from '../pods/pod-control.ts'
import { isPodReady } from '../pods/pod-state.ts'
import { slowStart } from '../pods/slow-start.ts'
import { isNamespaceEnding } from '../serviceaccount/controller.ts'
import type { JobState } from './plan.ts'
import { hasTracking, TRACKING_FINALIZER } from './pod-facts.ts'
import { podPrefixOf, podTemplateOf } from './pod-template.ts'

const BY_OWNER = 'job/owner'

/** As they are after the writes of this round. */
export type PodCounts = { readonly active: number; readonly ready: number; readonly terminating: number }
type Outcome = { readonly counts: PodCounts; readonly error: unknown }

export class JobPods {
  readonly #client: Client
  readonly #informer: Informer<Pod>
  readonly #control: PodControl
  readonly #expectations: Expectations
  /** uids of pods whose finalizer was taken away, until the informer shows it. */
  readonly #counted = new Set<string>()

  constructor({ client, informers, events, clock }: ControllerContext) {
    this.#client = client
    this.#informer = informers.informer(PODS)
    this.#control = new PodControl(client, events)
    this.#expectations = new Expectations(clock)
  }

  watch(onChange: (pod: Pod) => void): void {
    this.#informer.addIndex(BY_OWNER, (pod) => {
      const owner = controllerOf(pod)
      return owner?.kind === 'Job' ? [owner.uid] : []
    })
    const observe = (pod: Pod, isGone: boolean): void => {
      const owner = controllerOf(pod)
      if (isGone || !hasTracking(pod)) this.#counted.delete(pod.metadata.uid)
      if (owner?.kind === 'Job') this.#expectations.observe(`${pod.metadata.namespace}/${owner.name}`, pod.metadata.uid)
      onChange(pod)
    }
    this.#informer.addHandler({
      added: (pod) => observe(pod, false),
      updated: (pod, old) => {
        observe(pod, false)
        if (controllerOf(old)?.uid !== controllerOf(pod)?.uid) onChange(old)
      },
      deleted: (pod) => observe(pod, true),
    })
  }

  get counted(): ReadonlySet<string> {
    return this.#counted
  }

  get(key: string): Pod | undefined {
    return this.#informer.get(key)
  }

  of({ metadata }: Job): Pod[] {
    return this.#informer.byIndex(BY_OWNER, metadata.uid)
  }

  isCurrent(key: string): boolean {
    return this.#expectations.areMet(key)
  }

  forget(key: string): void {
    this.#expectations.forget(key)
  }

  /** The Job's pods. Only a selector of the user's own can match pods that nobody made for the Job. */
  async claim(job: Job, signal: AbortSignal): Promise<Pod[]> {
    const own = this.of(job)
    if (job.spec.manualSelector !== true || job.metadata.deletionTimestamp !== undefined) return own
    const selector = matcherOf(job.spec.selector)
    for (const pod of this.#informer.list(job.metadata.namespace)) {
      const isFree = controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined
      if (!isFree || !selector.matches(pod.metadata.labels ?? {})) continue
      await this.#control.adopt({ resource: JOBS, object: job }, pod, signal)
      own.push(pod)
    }
    return own
  }

  async create(
    { key, job, indexes, state }: { key: string; job: Job; indexes: readonly number[]; state: JobState },
    signal: AbortSignal,
  ): Promise<Outcome> {
    let next = 0
    const { succeeded, error } = await slowStart(indexes.length, async () => {
      const index = indexes[next++]!
      const owner = { resource: JOBS, object: job, podPrefix: podPrefixOf(job, index) }
      const pod = await this.#control.create(owner, podTemplateOf(job, index, state), signal)
      if (this.#informer.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid)
        this.#expectations.expect(key, pod.metadata.uid)
    })
    const { active, ready, terminating } = state
    const counts = { active: active.length + succeeded, ready, terminating }
    return { counts, error: isNamespaceEnding(error) ? undefined : error }
  }

  /** With `releases`, the pods are not counted as failed: they are only in excess. */
  async delete(
    request: { key: string; job: Job; pods: readonly Pod[]; state: JobState; releases: boolean },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { key, job, pods, state, releases } = request
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        if (releases) await this.release(pod, signal)
        await this.#control.delete({ resource: JOBS, object: job }, pod, signal)
        // The next round must not take the pod for a running one.
        const shown = this.#informer.get(keyOf(pod))
        if (shown?.metadata.uid === pod.metadata.uid && shown.metadata.deletionTimestamp === undefined)
          this.#expectations.expect(key, pod.metadata.uid)
      }),
    )
    const deleted = pods.filter((_, position) => results[position]?.status === 'fulfilled')
    const failed = results.find((result) => result.status === 'rejected')
    const counts = {
      active: state.active.length - deleted.length,
      ready: state.ready - deleted.filter(isPodReady).length,
      terminating: state.terminating + deleted.length,
    }
    return { counts, error: failed?.reason }
  }

  async release(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    if (!hasTracking(pod) || this.#counted.has(uid)) return
    this.#counted.add(uid)
    const body = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } }
    try {
      await this.#client.patch(PODS, namespace!, name, 'strategic', body, {}, signal)
    } catch (error) {
      if (isNotFound(error)) return
      this.#counted.delete(uid)
      throw error
    }
    if (this.#informer.get(keyOf(pod))?.metadata.uid !== uid) this.#counted.delete(uid)
  }
}
