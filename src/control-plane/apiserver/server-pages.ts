/** The paths that tell of the server itself beside its health: metrics, /statusz, /flagz and profiles. */
import { writeMetrics } from './metrics/exposition.ts'
import type { Registry } from 'prom-client'
import type { Clock } from '#base/clock.ts'
import { createPprofHandler } from './profiling/pprof-handler.ts'
import type { Handler } from './request.ts'
import type { PathHandler } from './routes.ts'
import { createFlagzHandler } from './zpages/flagz.ts'
import { createStatuszHandler } from './zpages/statusz.ts'

export type ServerPagesOptions = {
  readonly clock: Clock
  readonly metrics: { readonly registry: Registry }
  readonly healthMetrics: { readonly registry: Registry }
  /** Flags with their values as text; null where the server was not started by flags. */
  readonly flags: ReadonlyMap<string, string> | null
  /** Whether /debug/pprof answers. */
  readonly profiling: boolean
}

export type ServerPages = {
  readonly fixed: ReadonlyMap<string, Handler>
  readonly pathHandlers: readonly PathHandler[]
}

export function createServerPages(options: ServerPagesOptions): ServerPages {
  const { clock, metrics, healthMetrics, flags, profiling } = options
  const fixed = new Map<string, Handler>([
    ['/metrics', metricsHandler(metrics.registry, clock)],
    ['/metrics/slis', metricsHandler(healthMetrics.registry, clock)],
    ['/statusz', createStatuszHandler(clock, clock.now())],
  ])
  if (flags !== null) fixed.set('/flagz', createFlagzHandler(flags))
  return { fixed, pathHandlers: profiling ? [createPprofHandler(clock)] : [] }
}

function metricsHandler(registry: Registry, clock: Clock): Handler {
  return async () => ({
    code: 200,
    body: { form: 'raw', contentType: registry.contentType, content: await writeMetrics(registry, clock) },
  })
}
