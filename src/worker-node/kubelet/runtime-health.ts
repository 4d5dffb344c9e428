/** Asks the container runtime whether it and its network are ready, often while they are not. */
import type { Clock } from '#base/clock.ts'
import type { RuntimeService } from './runtime/runtime-service.ts'

export type RuntimeHealthOptions = {
  readonly runtime: RuntimeService
  readonly clock: Clock
  /** The answer changed. */
  onChange(): void
}

const HEALTHY_MS = 5000
/** A node waits for its first network configuration: every moment here is a moment of the cluster's start. */
const UNHEALTHY_MS = 100

export class RuntimeHealth {
  readonly #options: RuntimeHealthOptions
  readonly #stop = new AbortController()
  #runtimeProblem: string | null = 'container runtime status check may not have completed yet'
  #networkProblem: string | null = 'network state unknown'

  constructor(options: RuntimeHealthOptions) {
    this.#options = options
  }

  get runtimeProblem(): string | null {
    return this.#runtimeProblem
  }

  get networkProblem(): string | null {
    return this.#networkProblem
  }

  /** What the node's Ready condition says, or null. */
  get problem(): string | null {
    const problems = [
      this.#runtimeProblem,
      this.#networkProblem === null ? null : `container runtime network not ready: ${this.#networkProblem}`,
    ].filter((problem) => problem !== null)
    return problems.length === 0 ? null : problems.join(', ')
  }

  /** Resolves with the first answer. */
  async start(): Promise<void> {
    await this.#ask()
    void this.#loop()
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
  }

  async #loop(): Promise<void> {
    const { clock, onChange } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      const before = this.problem
      await this.#ask()
      if (this.problem !== before) onChange()
      await clock.sleep(this.problem === null ? HEALTHY_MS : UNHEALTHY_MS, signal).catch(() => {}) // Aborted: ends.
    }
  }

  async #ask(): Promise<void> {
    try {
      const { runtime, network } = await this.#options.runtime.status()
      const describe = (name: string, { reason, message }: typeof runtime): string =>
        `${name}=false reason:${reason} message:${message}`
      this.#runtimeProblem = runtime.ready ? null : `container runtime not ready: ${describe('RuntimeReady', runtime)}`
      this.#networkProblem = network.ready ? null : describe('NetworkReady', network)
    } catch (error) {
      this.#runtimeProblem = `container runtime is down: ${(error as Error).message}`
    }
  }
}
