/** Notices within milliseconds when containers die behind the kubelet's back: events, and a slow relist against lost ones. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { POD_UID_LABEL } from './runtime/labels.ts'
import type { RuntimeService } from './runtime/runtime-service.ts'

export type RuntimeWatcherOptions = {
  readonly runtime: RuntimeService
  readonly clock: Clock
  readonly log: Logger
  /** Something of the pod changed in the runtime. */
  onPodChange(podUid: string): void
  /** All pods that have a sandbox or a container, after each relist. */
  onRelist(podUids: ReadonlySet<string>): void
}

/** Against events that were lost without the stream breaking. */
const RELIST_MS = 10_000
const RECONNECT_MS = 200
const CONFIRM_DELAYS_MS = [5, 10, 20, 40, 80, 160, 320]

export class RuntimeWatcher {
  readonly #options: RuntimeWatcherOptions
  readonly #stop = new AbortController()
  /** Container or sandbox id → pod, and its last known state. */
  #known = new Map<string, { readonly podUid: string; readonly state: string }>()
  #relisting: Promise<void> | null = null
  #isAvailable = false

  constructor(options: RuntimeWatcherOptions) {
    this.#options = options
  }

  /** The runtime answered the last time it was asked. */
  get isAvailable(): boolean {
    return this.#isAvailable
  }

  start(): void {
    void this.#followEvents()
    void this.#relistForever()
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
  }

  async #followEvents(): Promise<void> {
    const { runtime, clock, log } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        for await (const event of runtime.events(signal)) {
          if (event.type === 'started' || event.type === 'removed') continue
          if (event.type === 'lost') await this.#relist()
          else void this.#confirmExit(event.id, signal)
        }
      } catch (error) {
        if (signal.aborted) return
        log.warn('lost the events of the container runtime', { error: String(error) })
      }
      await clock.sleep(RECONNECT_MS, signal).catch(() => {}) // Aborted: the loop ends.
      await this.#relist()
    }
  }

  /** The event is faster than the runtime's own books: a round that began now would still find the container running. */
  async #confirmExit(id: string, signal: AbortSignal): Promise<void> {
    const { runtime, clock } = this.#options
    try {
      for (const delayMs of CONFIRM_DELAYS_MS) {
        const [container, sandbox] = await Promise.all([runtime.containerStatus(id), runtime.podSandboxStatus(id)])
        if (container?.state !== 'running' && sandbox?.ready !== true) break
        await clock.sleep(delayMs, signal)
      }
    } catch {
      // The runtime is down, or we are: the relist below tells.
    }
    const known = this.#known.get(id)
    if (known) this.#options.onPodChange(known.podUid)
    else await this.#relist()
  }

  async #relistForever(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#relist()
      await this.#options.clock.sleep(RELIST_MS, signal).catch(() => {}) // Aborted: the loop ends.
    }
  }

  #relist(): Promise<void> {
    this.#relisting ??= this.#relistOnce().finally(() => {
      this.#relisting = null
    })
    return this.#relisting
  }

  async #relistOnce(): Promise<void> {
    const { runtime, log, onPodChange, onRelist } = this.#options
    if (this.#stop.signal.aborted) return
    try {
      const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()])
      const found = new Map<string, { readonly podUid: string; readonly state: string }>()
      for (const { id, podUid, ready } of sandboxes) found.set(id, { podUid, state: ready ? 'ready' : 'notready' })
      for (const { id, labels, state } of containers) found.set(id, { podUid: labels[POD_UID_LABEL] ?? '', state })
      const changed = new Set<string>()
      for (const [id, { podUid, state }] of found) if (this.#known.get(id)?.state !== state) changed.add(podUid)
      for (const [id, { podUid }] of this.#known) if (!found.has(id)) changed.add(podUid)
      this.#known = found
      this.#isAvailable = true
      for (const podUid of changed) onPodChange(podUid)
      onRelist(new Set([...found.values()].map(({ podUid }) => podUid)))
    } catch (error) {
      this.#isAvailable = false
      if (!this.#stop.signal.aborted) log.warn('the container runtime does not answer', { error: String(error) })
    }
  }
}
