/** Counts what the scheduler does, under upstream's names, for /metrics. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics, exponentialBuckets } from 'prom-client'

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error'

/** Numbers of waiting pods by queue. */
export type PendingPods = Readonly<Record<'active' | 'backoff' | 'unschedulable' | 'gated', number>>

/** From one millisecond to 16 seconds. */
const DURATION_BUCKETS = exponentialBuckets(0.001, 2, 15)

export class SchedulerMetrics {
  readonly registry = new Registry()
  readonly #profile: string
  readonly #attempts = new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
    labelNames: ['result', 'profile'],
    registers: [this.registry],
  })
  readonly #attemptDurations = new Histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds.',
    labelNames: ['result', 'profile'],
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  })
  readonly #algorithmDurations = new Histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'Scheduling algorithm latency in seconds.',
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  })
  readonly #attemptsPerPod = new Histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Number of attempts to successfully schedule a pod.',
    buckets: exponentialBuckets(1, 2, 5),
    registers: [this.registry],
  })
  readonly #preemptions = new Counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Total preemption attempts in the cluster so far.',
    registers: [this.registry],
  })
  readonly #victims = new Histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of selected preemption victims.',
    buckets: exponentialBuckets(1, 2, 7),
    registers: [this.registry],
  })

  constructor(profile: string) {
    this.#profile = profile
    collectDefaultMetrics({ register: this.registry })
  }

  /** Reads the numbers of waiting pods whenever somebody asks. */
  watchPendingPods(read: () => PendingPods): void {
    const pending = new Gauge({
      name: 'scheduler_pending_pods',
      help: 'Number of pending pods, by the queue type.',
      labelNames: ['queue'],
      registers: [],
      collect() {
        for (const [queue, count] of Object.entries(read())) this.set({ queue }, count)
      },
    })
    this.registry.registerMetric(pending)
  }

  attempted(result: AttemptResult, durationMs: number): void {
    const labels = { result, profile: this.#profile }
    this.#attempts.inc(labels)
    this.#attemptDurations.observe(labels, durationMs / 1000)
  }

  decided(durationMs: number): void {
    this.#algorithmDurations.observe(durationMs / 1000)
  }

  bound(attempts: number): void {
    this.#attemptsPerPod.observe(attempts)
  }

  triedPreemption(): void {
    this.#preemptions.inc()
  }

  chose(victims: number): void {
    this.#victims.observe(victims)
  }
}
