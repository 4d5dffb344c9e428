/** Who waits for whom when there is more to do than the server can at once: fair queues, or only a limit. */
import type { Clock } from '#base/clock.ts'
import type { ObjectFeeds } from '../authorization/object-feeds.ts'
import type { ApiServerMetrics } from '../metrics/metrics.ts'
import type { Stage } from '../request.ts'
import type { PathHandler } from '../routes.ts'
import { createDebugDumps } from './debug-dumps.ts'
import { FlowController } from './flow-controller.ts'
import { registerFlowMetrics } from './flow-metrics.ts'
import { followFlowConfiguration } from './follow-flow-configuration.ts'
import { createMaxInFlightStage, type InFlightLimits } from './max-in-flight.ts'
import { createPriorityAndFairnessStage } from './priority-and-fairness.ts'
import type { RequestLoad } from './work-estimate.ts'

export type FlowControlOptions = {
  readonly clock: Clock
  readonly feeds: Pick<ObjectFeeds, 'follow'>
  readonly load: RequestLoad
  readonly metrics: ApiServerMetrics
  readonly limits: InFlightLimits
  readonly requestTimeoutMs: number
  /** False: requests are only counted against the limits. */
  readonly priorityAndFairness: boolean
  readonly signal: AbortSignal
}

/** Call before the feeds start. */
export function createFlowControl(options: FlowControlOptions): {
  readonly stage: Stage
  /** Pages that show the queues. */
  readonly handlers: readonly PathHandler[]
} {
  const { clock, feeds, load, metrics, limits, requestTimeoutMs, signal } = options
  if (!options.priorityAndFairness) {
    const observe = (kind: 'readOnly' | 'mutating', running: number): void => metrics.observeInFlight(kind, running)
    return { stage: createMaxInFlightStage(limits, observe), handlers: [] }
  }
  const controller = new FlowController(clock, seatsOf(limits.readOnly) + seatsOf(limits.mutating))
  const counts = { executing: { readOnly: 0, mutating: 0 }, waiting: { readOnly: 0, mutating: 0 } }
  followFlowConfiguration(controller, feeds, { clock, signal })
  registerFlowMetrics(metrics.registry, controller)
  metrics.readInFlight(counts)
  return {
    stage: createPriorityAndFairnessStage({ controller, clock, load, counts, requestTimeoutMs }),
    handlers: [createDebugDumps(controller, clock)],
  }
}

/** A limit that is lifted adds nothing to what the levels share, as upstream has it. */
const seatsOf = (limit: number): number => (Number.isFinite(limit) ? limit : 0)
