/** Keeps the status of each PodDisruptionBudget, from which evictions are granted, equal to its pods. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/policy/v1.gen.ts'
import { PODDISRUPTIONBUDGETS, PODS } from '#api/resources.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { isConflict } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { formatTime, referenceTo } from '../object-key.ts'
import { needsScale, planBudget, staleDisruptionMs, withDisruptionAllowed } from './plan.ts'
import { ScaleFinder } from './scale-finder.ts'

/** Keys of pods that are marked as targets of a disruption. */
const TARGET = 'target/'

export class DisruptionController implements Controller {
  readonly name = 'disruption-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #budgets: Informer<PodDisruptionBudget>
  readonly #pods: Informer<Pod>
  readonly #scales: ScaleFinder

  constructor({ client, clock, events, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#budgets = informers.informer(PODDISRUPTIONBUDGETS)
    this.#pods = informers.informer(PODS)
    this.#scales = new ScaleFinder(client, informers)
  }

  watch(enqueue: Enqueue): void {
    const onBudget = (budget: PodDisruptionBudget): void => enqueue(keyOf(budget))
    this.#budgets.addHandler({ added: onBudget, updated: onBudget })
    const onPod = (pod: Pod, old: Pod = pod): void => {
      for (const budget of this.#budgets.list(pod.metadata.namespace)) {
        const selector = matcherOf(budget.spec.selector)
        if (selector.matches(pod.metadata.labels) || selector.matches(old.metadata.labels)) enqueue(keyOf(budget))
      }
      const stale = staleDisruptionMs(pod, this.#clock.now())
      if (stale !== null) enqueue(TARGET + keyOf(pod), stale)
    }
    this.#pods.addHandler({ added: (pod) => onPod(pod), updated: onPod, deleted: (pod) => onPod(pod) })
    this.#scales.watch((namespace) => {
      for (const budget of this.#budgets.list(namespace)) if (needsScale(budget)) enqueue(keyOf(budget))
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (key.startsWith(TARGET)) return this.#forgive(key.slice(TARGET.length), signal)
    const budget = this.#budgets.get(key)
    if (budget === undefined) return {}
    try {
      return await this.#sync(budget, signal)
    } catch (error) {
      // A lost race is simply run again.
      if (!signal.aborted && !isConflict(error)) await this.#failSafe(budget, error as Error, signal)
      throw error
    }
  }

  async #sync(budget: PodDisruptionBudget, signal: AbortSignal): Promise<Result> {
    const selector = matcherOf(budget.spec.selector)
    const pods = this.#pods.list(budget.metadata.namespace).filter(({ metadata }) => selector.matches(metadata.labels))
    const about = referenceTo(PODDISRUPTIONBUDGETS, budget)
    if (pods.length === 0) this.#events.event(about, 'Normal', 'NoPods', 'No matching pods found')
    const plan = planBudget(budget, pods, await this.#scale(budget, pods, signal), this.#clock.now())
    for (const pod of plan.notDeleted) {
      const message = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`
      this.#events.event(referenceTo(PODS, pod), 'Warning', 'NotDeleted', message)
    }
    await this.#write(budget, plan.status, signal)
    return plan.recheckMs === null ? {} : { requeueAfterMs: plan.recheckMs }
  }

  async #scale(budget: PodDisruptionBudget, pods: readonly Pod[], signal: AbortSignal): Promise<number> {
    if (!needsScale(budget)) return 0
    const about = referenceTo(PODDISRUPTIONBUDGETS, budget)
    try {
      const { total, unmanaged } = await this.#scales.scaleOf(pods, signal)
      if (unmanaged.length > 0)
        this.#events.event(
          about,
          'Warning',
          'UnmanagedPods',
          `Pods selected by this PodDisruptionBudget (selector: ${matcherOf(budget.spec.selector)}) have no controller: its status cannot be calculated correctly. Set ".spec.minAvailable" to an integer value to count them.`,
        )
      return total
    } catch (error) {
      const message = `Failed to calculate the number of expected pods: ${(error as Error).message}`
      this.#events.event(about, 'Warning', 'CalculateExpectedPodCountFailed', message)
      throw error
    }
  }

  /** While nobody knows how many pods there should be, none may be evicted. */
  async #failSafe(budget: PodDisruptionBudget, error: Error, signal: AbortSignal): Promise<void> {
    const failed = { isAllowed: false, reason: 'SyncFailed', message: error.message, nowMs: this.#clock.now() }
    const status = { ...budget.status, disruptionsAllowed: 0, conditions: withDisruptionAllowed(budget, failed) }
    await this.#write(budget, status, signal)
  }

  async #write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus, signal: AbortSignal): Promise<void> {
    if (isSemanticallyEqual(budget.status, status)) return
    await this.#client.updateStatus<PodDisruptionBudget>(PODDISRUPTIONBUDGETS, { ...budget, status }, signal)
  }

  /** The pod was not deleted after all: its mark becomes false. */
  async #forgive(key: string, signal: AbortSignal): Promise<Result> {
    const pod = this.#pods.get(key)
    const stale = pod === undefined ? null : staleDisruptionMs(pod, this.#clock.now())
    if (pod === undefined || stale === null) return {}
    if (stale > 0) return { requeueAfterMs: stale }
    const conditions = (pod.status?.conditions ?? []).map((condition) =>
      condition.type === 'DisruptionTarget'
        ? { type: condition.type, status: 'False', lastTransitionTime: formatTime(this.#clock.now()) }
        : condition,
    )
    await this.#client.updateStatus<Pod>(PODS, { ...pod, status: { ...pod.status, conditions } }, signal)
    return {}
  }
}
