/** Runs the probes of all running containers of this node and remembers their results by container id. */
import type { Container, Pod, Probe } from '#api/core/v1.gen.ts'
import type { ContainerKind } from '../pods/pod-facts.ts'
import type { ProbeOutcome } from '../pods/container-trouble.ts'
import type { Semaphore } from '../semaphore.ts'
import { ProbeLoop, type ProbeType } from './probe-loop.ts'
import { runProbe, type ProbeReport, type ProbeRunnerOptions } from './run-probe.ts'

export type ProbedContainer = {
  readonly pod: Pod
  readonly kind: ContainerKind
  readonly container: Container
  readonly containerId: string
  readonly startedAtMs: number
  readonly podIp: string
  readonly execs: Semaphore
  /** The API's status says that this very container had started, or was ready, before this kubelet began. */
  readonly wasStarted: boolean
  readonly wasReady: boolean
}

export type ProbeManagerOptions = ProbeRunnerOptions & {
  event(pod: Pod, container: Container, reason: string, message: string): void
  /** A result turned: the pod's status or plan may change. */
  onTurn(podUid: string): void
}

type Loops = Partial<Record<ProbeType, ProbeLoop>>

export class ProbeManager {
  readonly #options: ProbeManagerOptions
  readonly #containers = new Map<string, { readonly podUid: string; readonly loops: Loops; isEnding: boolean }>()

  constructor(options: ProbeManagerOptions) {
    this.#options = options
  }

  /** Starts probing what newly runs in the pod and forgets what no longer does. */
  follow(podUid: string, running: readonly ProbedContainer[]): void {
    const ids = new Set(running.map(({ containerId }) => containerId))
    for (const [id, entry] of this.#containers) if (entry.podUid === podUid && !ids.has(id)) this.#stopAll(id)
    for (const target of running) if (!this.#containers.has(target.containerId)) this.#begin(podUid, target)
  }

  /** While a pod ends, only its readiness is still of interest. */
  stopKilling(podUid: string): void {
    for (const entry of this.#containers.values()) {
      if (entry.podUid !== podUid) continue
      entry.isEnding = true
      entry.loops.Liveness?.stop()
      entry.loops.Startup?.stop()
    }
  }

  forgetPod(podUid: string): void {
    this.follow(podUid, [])
  }

  stop(): void {
    for (const id of this.#containers.keys()) this.#stopAll(id)
  }

  startup(containerId: string): ProbeOutcome | undefined {
    return this.#containers.get(containerId)?.loops.Startup?.result
  }
  liveness(containerId: string): ProbeOutcome | undefined {
    return this.#containers.get(containerId)?.loops.Liveness?.result
  }
  readiness(containerId: string): ProbeOutcome | undefined {
    return this.#containers.get(containerId)?.loops.Readiness?.result
  }

  #begin(podUid: string, target: ProbedContainer): void {
    const { container, wasStarted, wasReady } = target
    const loops: Loops = {}
    const add = (type: ProbeType, probe: Probe | undefined, known: ProbeOutcome | undefined): void => {
      if (probe) loops[type] = this.#makeLoop({ podUid, target, type, probe, known, loops })
    }
    add('Startup', container.startupProbe, wasStarted ? 'success' : undefined)
    add('Liveness', container.livenessProbe, undefined)
    add('Readiness', container.readinessProbe, wasReady ? 'success' : undefined)
    this.#containers.set(target.containerId, { podUid, loops, isEnding: false })
    for (const loop of Object.values(loops)) if (loop !== loops.Startup || !wasStarted) loop.start()
  }

  #makeLoop(of: {
    readonly podUid: string
    readonly target: ProbedContainer
    readonly type: ProbeType
    readonly probe: Probe
    readonly known: ProbeOutcome | undefined
    readonly loops: Loops
  }): ProbeLoop {
    const { podUid, target, type, probe, known, loops } = of
    const { onTurn, clock } = this.#options
    return new ProbeLoop({
      type,
      probe,
      clock,
      startedAtMs: target.startedAtMs,
      known,
      mayRun: () => type === 'Startup' || !loops.Startup || loops.Startup.result === 'success',
      run: (signal) => runProbe(probe, target, this.#options, signal),
      onReport: (report) => this.#report(target, type, report),
      onTurn: () => {
        if (type === 'Startup') for (const loop of [loops.Liveness, loops.Readiness]) loop?.hurry()
        onTurn(podUid)
      },
    })
  }

  /** A container on its way out is expected not to answer. */
  #report({ pod, container, containerId }: ProbedContainer, type: ProbeType, { outcome, output }: ProbeReport): void {
    if (this.#containers.get(containerId)?.isEnding !== false) return
    if (outcome === 'failure') this.#options.event(pod, container, 'Unhealthy', `${type} probe failed: ${output}`)
    if (outcome === 'warning') this.#options.event(pod, container, 'ProbeWarning', `${type} probe warning: ${output}`)
  }

  #stopAll(containerId: string): void {
    for (const loop of Object.values(this.#containers.get(containerId)?.loops ?? {})) loop.stop()
    this.#containers.delete(containerId)
  }
}
