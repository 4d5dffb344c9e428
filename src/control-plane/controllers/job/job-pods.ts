/** The pods of Jobs: finds, creates, deletes and releases them, and knows what the informer does not show yet. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { JOBS, PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { ControllerContext } from '../controller.ts'
import { onDependentChange } from '../on-change.ts'
import { OwnedPods } from '../pods/owned-pods.ts'
import { isPodReady } from '../pods/pod-state.ts'
import { slowStart } from '../pods/slow-start.ts'
import type { JobState } from './plan.ts'
import { hasTracking, TRACKING_FINALIZER } from './pod-facts.ts'
import { podPrefixOf, podTemplateOf } from './pod-template.ts'

/** As they are after the writes of this round. */
export type PodCounts = { readonly active: number; readonly ready: number; readonly terminating: number }
type Outcome = { readonly counts: PodCounts; readonly error: unknown }

export class JobPods {
  readonly #client: Client
  readonly #pods: OwnedPods
  /** uids of pods whose finalizer was taken away, until the informer shows it. */
  readonly #counted = new Set<string>()

  constructor(context: ControllerContext) {
    this.#client = context.client
    this.#pods = new OwnedPods(context, 'job-controller', 'Job')
  }

  watch(changed: (key: string) => void, onPod: (pod: Pod) => void): void {
    const settled = ({ metadata }: Pod): void => void this.#counted.delete(metadata.uid)
    const observe = (pod: Pod): void => {
      if (!hasTracking(pod)) settled(pod)
    }
    this.#pods.informer.addHandler({ added: observe, updated: observe, deleted: settled })
    this.#pods.watch({ changed })
    onDependentChange(this.#pods.informer, onPod)
  }

  get counted(): ReadonlySet<string> {
    return this.#counted
  }

  get(key: string): Pod | undefined {
    return this.#pods.informer.get(key)
  }

  of(job: Job): Pod[] {
    return this.#pods.of(job)
  }

  isCurrent(key: string): boolean {
    return this.#pods.areCurrent(key)
  }

  forget(key: string): void {
    this.#pods.forget(key)
  }

  /** The Job's pods. Only a selector of the user's own can match pods that nobody made for the Job. */
  async claim(job: Job, signal: AbortSignal): Promise<Pod[]> {
    const own = this.of(job)
    if (job.spec.manualSelector !== true || job.metadata.deletionTimestamp !== undefined) return own
    const selector = matcherOf(job.spec.selector)
    for (const pod of this.#pods.orphansIn(job.metadata.namespace)) {
      if (pod.metadata.deletionTimestamp !== undefined || !selector.matches(pod.metadata.labels ?? {})) continue
      await this.#pods.control.adopt({ resource: JOBS, object: job }, pod, signal)
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
      await this.#pods.create(key, owner, podTemplateOf(job, index, state), signal)
    })
    const { active, ready, terminating } = state
    const counts = { active: active.length + succeeded, ready, terminating }
    return { counts, error: isNamespaceTerminating(error) ? undefined : error }
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
        await this.#pods.control.delete({ resource: JOBS, object: job }, pod, signal)
        // The next round must not take the pod for a running one.
        this.#pods.expectDeletion(key, pod)
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
    if (this.#pods.informer.get(keyOf(pod))?.metadata.uid !== uid) this.#counted.delete(uid)
  }
}
