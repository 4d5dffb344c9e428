/** Works on one pod from its first sight to its end: one round at a time, woken by whatever concerns the pod. */
import type { Timer } from '#base/clock.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { endPod, forgetPod } from './pods/end-pod.ts'
import { formatPod, isTerminal } from './pods/pod-facts.ts'
import { PodMemory, type Verdict } from './pods/pod-memory.ts'
import { syncPod, SyncError } from './pods/sync-pod.ts'
import type { ResizeState } from './resize/resize-state.ts'
import type { WorkerContext } from './worker-context.ts'

type Phase = 'syncing' | 'ending' | 'ended' | 'forgotten'

const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 30_000

export class PodWorker {
  readonly #context: WorkerContext
  readonly #memory: PodMemory
  #phase: Phase = 'syncing'
  /** Ends the round in progress: what it does is overtaken. */
  #round = new AbortController()
  #running: Promise<void> | null = null
  #dirty = false
  #stopped = false
  #timer: Timer | null = null
  #graceSeconds: number | undefined
  #isGone = false

  constructor(pod: Pod, context: WorkerContext) {
    this.#context = context
    this.#memory = new PodMemory(pod, { nowMs: context.clock.now(), execsMax: context.execsPerPodMax })
    if (isTerminal(pod)) this.#phase = 'ending'
  }

  get pod(): Pod {
    return this.#memory.pod
  }

  /** Its containers may run, or their resources are still held. */
  get isActive(): boolean {
    return this.#phase === 'syncing' || this.#phase === 'ending'
  }

  /** A new version of the pod's object. */
  update(pod: Pod): void {
    const before = this.#memory.pod
    this.#memory.pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) this.#end(pod.metadata.deletionGracePeriodSeconds)
    else if (isTerminal(pod) && !isTerminal(before)) this.#end(undefined)
    this.wake()
  }

  /** What the node cannot give now. Answers whether that is news. */
  deferResize(pending: NonNullable<ResizeState['pending']>): boolean {
    const before = this.#memory.resize.pending
    this.#memory.resize = { ...this.#memory.resize, pending }
    const isNews = before?.reason !== pending.reason || before.generation !== pending.generation
    if (isNews || before.message !== pending.message) this.wake()
    return isNews
  }

  clearPendingResize(): void {
    this.#memory.resize = { ...this.#memory.resize, pending: null }
  }

  /** The node has promised other resources: they come into force with the next round. */
  beginResize(generation: number): void {
    this.#memory.resize = { pending: null, inProgress: { generation, error: null } }
  }

  /** The object is gone from the API server or the manifest folder. */
  remove(): void {
    this.#isGone = true
    this.#end(this.#graceSeconds)
    this.wake()
  }

  /** The kubelet itself ends the pod: eviction, deadline, node shutdown. False for one that ends already. */
  evict(verdict: Verdict, graceSeconds?: number): boolean {
    if (this.#phase !== 'syncing') return false
    this.#memory.verdict = verdict
    this.#end(graceSeconds)
    this.wake()
    return true
  }

  /** Something happened that may change the plan: at most one more round follows the one in progress. */
  wake(): void {
    this.#dirty = true
    this.#running ??= this.#loop().finally(() => {
      this.#running = null
      if (this.#dirty && !this.#stopped && this.#phase !== 'forgotten') this.wake()
    })
  }

  /** Leaves everything running. Resolves when no round is in progress. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#round.abort(new Error('kubelet stopped'))
    await this.#running
  }

  /** Later calls may only shorten the grace period: the kill in progress then begins anew with it. */
  #end(graceSeconds: number | undefined): void {
    if (this.#phase === 'ended' || this.#phase === 'forgotten') return
    const isShorter =
      graceSeconds !== undefined && (this.#graceSeconds === undefined || graceSeconds < this.#graceSeconds)
    if (this.#phase === 'ending' && !isShorter) return
    if (graceSeconds !== undefined) this.#graceSeconds = graceSeconds
    this.#phase = 'ending'
    this.#round.abort(new Error('the pod is ending'))
  }

  async #loop(): Promise<void> {
    while (this.#dirty && !this.#stopped && this.#phase !== 'forgotten') {
      this.#dirty = false
      this.#timer?.cancel()
      this.#round = new AbortController()
      const { signal } = this.#round
      try {
        await this.#runRound(signal)
        this.#memory.failures = 0
      } catch (error) {
        if (signal.aborted) this.#dirty = true
        else this.#handleFailure(error)
      }
    }
  }

  #runRound(signal: AbortSignal): Promise<void> {
    if (this.#phase === 'syncing') return this.#sync(signal)
    return this.#phase === 'ending' ? this.#endNow(signal) : this.#forgetWhenDeleted()
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const deadlineMs = this.#deadlineMs()
    if (this.#context.clock.now() >= deadlineMs) {
      const message = 'Pod was active on the node longer than the specified deadline'
      this.#context.event(this.pod, 'Normal', 'DeadlineExceeded', message)
      this.evict({ reason: 'DeadlineExceeded', message })
      return
    }
    const { isDone, wakeAtMs } = await syncPod(this.#context, this.#memory, signal)
    if (isDone) {
      this.#end(undefined)
      this.#dirty = true
    } else this.#wakeAt(Math.min(wakeAtMs, deadlineMs))
  }

  #deadlineMs(): number {
    const seconds = this.pod.spec.activeDeadlineSeconds
    return seconds === undefined ? Infinity : this.#memory.startTimeMs + seconds * 1000
  }

  async #endNow(signal: AbortSignal): Promise<void> {
    const grace = this.#graceSeconds === undefined ? {} : { graceSeconds: this.#graceSeconds }
    await endPod(this.#context, this.#memory, { ...grace, isGone: this.#isGone, signal })
    this.#phase = 'ended'
    this.#dirty = true
    this.#context.onEnded()
  }

  /** A pod that ended by itself keeps its containers for logs until someone deletes it. */
  async #forgetWhenDeleted(): Promise<void> {
    if (!this.#isGone && this.pod.metadata.deletionTimestamp === undefined) return
    const { statuses } = this.#context
    if (!this.#isGone) {
      await statuses.flush(this.pod.metadata.uid)
      await this.#context.deletePod(this.pod)
    }
    await forgetPod(this.#context, this.#memory)
    statuses.forget(this.pod.metadata.uid)
    this.#phase = 'forgotten'
    this.#context.onFinished(this.pod.metadata.uid)
  }

  #handleFailure(error: unknown): void {
    const retryMs = Math.min(RETRY_MS_MIN * 2 ** this.#memory.failures++, RETRY_MS_MAX)
    this.#context.log.warn('pod could not be synced', {
      pod: formatPod(this.pod),
      error: error instanceof Error && !(error instanceof SyncError) ? (error.stack ?? error.message) : String(error),
    })
    this.#wakeAt(this.#context.clock.now() + retryMs)
  }

  #wakeAt(timeMs: number): void {
    if (timeMs === Infinity || this.#dirty) return
    this.#timer?.cancel()
    this.#timer = this.#context.clock.setTimer(Math.max(0, timeMs - this.#context.clock.now()), () => this.wake())
  }
}
