/** Keeps what the node has promised to its pods, and takes up resizes that had to wait as soon as there may be room. */
import type { Clock, Timer } from '#base/clock.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodWorker } from '../pod-worker.ts'
import { isTerminal } from '../pods/pod-facts.ts'
import type { PodEvents } from '../worker-context.ts'
import { allocationOf, withAllocation } from './allocation.ts'
import type { AllocationStore } from './allocation-store.ts'
import { byResizePriority, checkResize, type Refusal } from './check-resize.ts'
import { generationOf, resizeMessage } from './resize-state.ts'

export type ResizesOptions = PodEvents & {
  readonly store: AllocationStore
  readonly clock: Clock
  allocatable(): Readonly<Record<string, string>>
  /** Pods whose resources are held now, as this node runs them. */
  activePods(): readonly Pod[]
}

/** Room may also come from a node that grew: nothing tells (upstream's interval). */
const RETRY_MS = 180_000

export class Resizes {
  readonly #options: ResizesOptions
  /** Pods whose resize waits, with what they ask for. */
  readonly #waiting = new Map<string, { readonly worker: PodWorker; readonly desired: Pod }>()
  #timer: Timer | null = null

  constructor(options: ResizesOptions) {
    this.#options = options
  }

  /** The pod as this node runs it. */
  allocated(pod: Pod): Pod {
    return withAllocation(pod, this.#options.store.get(pod.metadata.uid))
  }

  /** The node takes the pod with what it asks for, unless something was promised before (by an earlier run). */
  admit(pod: Pod): void {
    const { store } = this.#options
    if (store.get(pod.metadata.uid) === undefined) store.set(pod.metadata.uid, allocationOf(pod))
  }

  /** A version of a pod that asks for other resources than it has, or does no more. Answers the pod as the node runs it from now on. */
  request(worker: PodWorker, desired: Pod): Pod {
    const { uid } = desired.metadata
    const allocated = this.allocated(desired)
    this.#waiting.delete(uid)
    if (allocated === desired || desired.metadata.deletionTimestamp !== undefined || isTerminal(desired)) {
      worker.setPendingResize(null)
      return allocated
    }
    const refusal = this.#check(desired)
    if (refusal === null) return this.#accept(worker, desired)
    if (worker.setPendingResize({ ...refusal, generation: generationOf(desired) })) this.#tell(desired, refusal)
    if (refusal.reason === 'Deferred') this.#wait(worker, desired)
    return allocated
  }

  /** Room may have come. */
  retry(): void {
    const waiting = [...this.#waiting.values()].map((entry) => ({ ...entry, allocated: this.allocated(entry.desired) }))
    for (const { worker, desired } of waiting.toSorted(byResizePriority)) {
      if (this.#check(desired) !== null) continue
      this.#waiting.delete(desired.metadata.uid)
      worker.update(this.#accept(worker, desired))
    }
  }

  forget(podUid: string): void {
    this.#waiting.delete(podUid)
    this.#options.store.delete(podUid)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#waiting.clear()
  }

  #check(desired: Pod): Refusal | null {
    const { allocatable, activePods } = this.#options
    const others = activePods().filter(({ metadata }) => metadata.uid !== desired.metadata.uid)
    return checkResize(desired, { allocatable: allocatable(), others })
  }

  #accept(worker: PodWorker, desired: Pod): Pod {
    this.#options.store.set(desired.metadata.uid, allocationOf(desired))
    worker.beginResize(generationOf(desired))
    this.#options.event(desired, 'Normal', 'ResizeStarted', resizeMessage('Pod resize started', desired))
    return desired
  }

  #tell(desired: Pod, { reason, message }: Refusal): void {
    const text = resizeMessage(`Pod resize ${reason}`, desired, message)
    this.#options.event(desired, 'Warning', reason === 'Deferred' ? 'ResizeDeferred' : 'ResizeInfeasible', text)
  }

  #wait(worker: PodWorker, desired: Pod): void {
    this.#waiting.set(desired.metadata.uid, { worker, desired })
    this.#timer ??= this.#options.clock.setTimer(RETRY_MS, () => {
      this.#timer = null
      this.retry()
      for (const entry of this.#waiting.values()) this.#wait(entry.worker, entry.desired)
    })
  }
}
