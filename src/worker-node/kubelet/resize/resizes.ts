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

type Waiting = { readonly worker: PodWorker; readonly desired: Pod }

export class Resizes {
  readonly #options: ResizesOptions
  /** Pods whose resize is not decided or waits, with what they ask for. */
  readonly #waiting = new Map<string, Waiting>()
  #isStarted = false
  #timer: Timer | null = null

  constructor(options: ResizesOptions) {
    this.#options = options
  }

  /** All pods of the node are known: before that, room that is another's would seem free. */
  start(): void {
    this.#isStarted = true
    this.retry()
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
    const { uid, deletionTimestamp } = desired.metadata
    const isSettled = this.allocated(desired) === desired || deletionTimestamp !== undefined || isTerminal(desired)
    if (isSettled) {
      this.#waiting.delete(uid)
      worker.clearPendingResize()
    } else this.#waiting.set(uid, { worker, desired })
    for (const accepted of this.#settle()) if (accepted.worker !== worker) accepted.worker.update(accepted.desired)
    return this.allocated(desired)
  }

  /** Room may have come. */
  retry(): void {
    for (const { worker, desired } of this.#settle()) worker.update(desired)
  }

  forget(podUid: string): void {
    this.#waiting.delete(podUid)
    this.#options.store.delete(podUid)
  }

  stop(): void {
    this.#isStarted = false
    this.#timer?.cancel()
    this.#waiting.clear()
  }

  /** Decides anew on all that wait. Answers whose resize was accepted. */
  #settle(): Waiting[] {
    if (!this.#isStarted) return []
    const waiting = [...this.#waiting.values()].map((entry) => ({ ...entry, allocated: this.allocated(entry.desired) }))
    const accepted: Waiting[] = []
    for (const { worker, desired } of waiting.toSorted(byResizePriority)) {
      const refusal = this.#check(desired, accepted)
      if (refusal !== null) {
        if (worker.deferResize({ ...refusal, generation: generationOf(desired) })) this.#tell(desired, refusal)
        continue
      }
      this.#waiting.delete(desired.metadata.uid)
      this.#accept(worker, desired)
      accepted.push({ worker, desired })
    }
    this.#retryLater()
    return accepted
  }

  /** Workers hear of what was `accepted` in this round only later. */
  #check(desired: Pod, accepted: readonly Waiting[]): Refusal | null {
    const { allocatable, activePods } = this.#options
    const newer = new Map(accepted.map(({ desired: pod }) => [pod.metadata.uid, pod]))
    const others = activePods().filter(({ metadata }) => metadata.uid !== desired.metadata.uid)
    const held = others.map((pod) => newer.get(pod.metadata.uid) ?? pod)
    return checkResize(desired, { allocatable: allocatable(), others: held })
  }

  #accept(worker: PodWorker, desired: Pod): void {
    this.#options.store.set(desired.metadata.uid, allocationOf(desired))
    worker.beginResize(generationOf(desired))
    this.#options.event(desired, 'Normal', 'ResizeStarted', resizeMessage('Pod resize started', desired))
  }

  #tell(desired: Pod, { reason, message }: Refusal): void {
    const text = resizeMessage(`Pod resize ${reason}`, desired, { error: message })
    this.#options.event(desired, 'Warning', 'ResizeDeferred', text)
  }

  #retryLater(): void {
    if (this.#waiting.size === 0) return
    this.#timer ??= this.#options.clock.setTimer(RETRY_MS, () => {
      this.#timer = null
      this.retry()
    })
  }
}
