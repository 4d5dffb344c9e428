/** Probes one container again and again, and decides by thresholds when its result turns. */
import type { Clock } from '#base/clock.ts'
import type { Probe } from '#api/core/v1.gen.ts'
import type { ProbeOutcome } from '../pods/container-trouble.ts'
import type { ProbeReport } from './run-probe.ts'

export type ProbeType = 'Startup' | 'Liveness' | 'Readiness'

export type ProbeLoopOptions = {
  readonly type: ProbeType
  readonly probe: Probe
  readonly clock: Clock
  readonly startedAtMs: number
  /** A result that an earlier kubelet process had already found. */
  readonly known: ProbeOutcome | undefined
  /** Liveness and readiness wait for the startup probe. */
  mayRun(): boolean
  run(signal: AbortSignal): Promise<ProbeReport>
  /** For events; called for each run. */
  onReport(report: ProbeReport): void
  /** Called only when the result turns. */
  onTurn(outcome: ProbeOutcome): void
}

export class ProbeLoop {
  readonly #options: ProbeLoopOptions
  readonly #stop = new AbortController()
  #result: ProbeOutcome | undefined
  #wakeUp: (() => void) | null = null

  constructor(options: ProbeLoopOptions) {
    this.#options = options
    this.#result = options.known
  }

  get result(): ProbeOutcome | undefined {
    return this.#result
  }

  start(): void {
    void this.#loop().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
  }

  stop(): void {
    this.#stop.abort(new Error('probe stopped'))
  }

  /** Runs at once instead of waiting for the rest of the period: what it waited for has come. */
  hurry(): void {
    this.#wakeUp?.()
  }

  async #loop(): Promise<void> {
    const { clock, probe, startedAtMs, type } = this.#options
    const { signal } = this.#stop
    const dueMs = startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now()
    if (dueMs > 0) await clock.sleep(dueMs, signal)
    let [streak, last]: [number, ProbeOutcome | undefined] = [0, undefined]
    while (!signal.aborted) {
      if (this.#options.mayRun()) {
        const report = await this.#options.run(signal)
        if (signal.aborted) return
        this.#options.onReport(report)
        const outcome = report.outcome === 'failure' ? 'failure' : 'success'
        streak = outcome === last ? streak + 1 : 1
        last = outcome
        if (streak >= this.#threshold(outcome)) this.#turn(outcome)
        // The container will be killed, or has started: this loop has nothing left to find out.
        if (type === 'Startup' && this.#result !== undefined) return
        if (type === 'Liveness' && this.#result === 'failure') return
      }
      await this.#pause((probe.periodSeconds ?? 10) * 1000)
    }
  }

  #threshold(outcome: ProbeOutcome): number {
    const { successThreshold = 1, failureThreshold = 3 } = this.#options.probe
    return outcome === 'success' ? successThreshold : failureThreshold
  }

  #turn(outcome: ProbeOutcome): void {
    if (this.#result === outcome) return
    this.#result = outcome
    this.#options.onTurn(outcome)
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel()
        signal.removeEventListener('abort', done)
        this.#wakeUp = null
        resolve()
      }
      const timer = this.#options.clock.setTimer(ms, done)
      signal.addEventListener('abort', done, { once: true })
      this.#wakeUp = done
    })
  }
}
