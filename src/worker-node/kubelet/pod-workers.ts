/** Holds a worker for each pod of this node and tells it what concerns it. */
import type { Pod } from '#api/core/v1.gen.ts'
import { PodWorker } from './pod-worker.ts'
import type { Verdict } from './pods/pod-memory.ts'
import { isTerminal } from './pods/pod-facts.ts'
import type { AllocationStore } from './resize/allocation-store.ts'
import { Resizes } from './resize/resizes.ts'
import type { WorkerContext } from './worker-context.ts'

export type PodWorkersOptions = {
  readonly context: Omit<WorkerContext, 'onFinished' | 'onEnded'>
  readonly allocations: AllocationStore
  allocatable(): Readonly<Record<string, string>>
  /** Why this node cannot take a new pod, or null. */
  admit(pod: Pod, others: readonly Pod[]): Verdict | null
  /** The pods' set changed: references to ConfigMaps and Secrets, for one, have to be looked at. */
  onPod(pod: Pod): void
  onForgotten(podUid: string): void
}

export class PodWorkers {
  readonly #options: PodWorkersOptions
  readonly #workers = new Map<string, PodWorker>()
  #stopped = false

  readonly #resizes: Resizes

  constructor(options: PodWorkersOptions) {
    this.#options = options
    this.#resizes = new Resizes({
      store: options.allocations,
      clock: options.context.clock,
      event: (...about) => options.context.event(...about),
      allocatable: () => options.allocatable(),
      activePods: () => this.activePods(),
    })
  }

  get size(): number {
    return this.#workers.size
  }

  pods(): Pod[] {
    return [...this.#workers.values()].map((worker) => worker.pod)
  }

  activePods(): Pod[] {
    return [...this.#workers.values()].filter((worker) => worker.isActive).map((worker) => worker.pod)
  }

  has(podUid: string): boolean {
    return this.#workers.has(podUid)
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.pods().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  }

  get(podUid: string): Pod | undefined {
    return this.#workers.get(podUid)?.pod
  }

  /** A new pod or a new version of one. */
  set(pod: Pod): void {
    if (this.#stopped) return
    const { uid } = pod.metadata
    const existing = this.#workers.get(uid)
    this.#options.onPod(pod)
    if (existing) {
      existing.update(this.#resizes.request(existing, pod))
      return
    }
    const others = this.activePods()
    const context = {
      ...this.#options.context,
      onEnded: () => this.#resizes.retry(),
      onFinished: (finished: string) => this.#forget(finished),
    }
    const allocated = this.#resizes.allocated(pod)
    const worker = new PodWorker(allocated, context)
    this.#workers.set(uid, worker)
    const isNew = pod.status?.phase === undefined || pod.status.phase === 'Pending'
    const refusal = isNew && !isTerminal(pod) ? this.#options.admit(allocated, others) : null
    if (refusal) {
      this.#options.context.event(pod, 'Warning', refusal.reason, refusal.message)
      worker.evict({ ...refusal, message: `Pod was rejected: ${refusal.message}` })
    } else this.#resizes.admit(pod)
    const next = this.#resizes.request(worker, pod)
    if (next !== allocated || pod.metadata.deletionTimestamp !== undefined) worker.update(next)
    worker.wake()
  }

  /** The node's pods are all here: resizes are decided from now on. */
  beginResizes(): void {
    this.#resizes.start()
  }

  remove(podUid: string): void {
    this.#workers.get(podUid)?.remove()
  }

  wake(podUid: string): void {
    if (!this.#stopped) this.#workers.get(podUid)?.wake()
  }

  wakeAll(): void {
    for (const uid of this.#workers.keys()) this.wake(uid)
  }

  evict(podUid: string, verdict: Verdict, graceSeconds?: number): boolean {
    return this.#workers.get(podUid)?.evict(verdict, graceSeconds) ?? false
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#resizes.stop()
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()))
  }

  #forget(podUid: string): void {
    this.#workers.delete(podUid)
    this.#resizes.forget(podUid)
    this.#options.onForgotten(podUid)
  }
}
