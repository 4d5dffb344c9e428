/** The stages of every request, in order: this list is the API server's front. */
import type { ApiRequest, ApiResponse, Handler, Stage } from './request.ts'

export type ChainStages = {
  readonly metrics: Stage
  readonly timeout: Stage
  /** Missing where nothing is audited. */
  readonly failedAuthenticationAudit: Stage | null
  readonly authentication: Stage
  readonly audit: Stage | null
  readonly impersonation: Stage
  readonly flowControl: Stage
  readonly authorization: Stage
  readonly body: Stage
}

/** The way in from the network. What a request is about was read from its path before (request-info.ts). */
export function createNetworkChain(stages: ChainStages, routes: Handler): Handler {
  return chain(
    [
      stages.metrics,
      stages.timeout,
      ...present(stages.failedAuthenticationAudit),
      stages.authentication,
      ...present(stages.audit),
      stages.impersonation,
      stages.flowControl,
      stages.authorization,
      stages.body,
    ],
    routes,
  )
}

/** The way in for components of this process: their identity is known, their bodies are objects. */
export function createInProcessChain(
  stages: Pick<ChainStages, 'metrics' | 'audit' | 'authorization'>,
  routes: Handler,
): Handler {
  return chain([stages.metrics, ...present(stages.audit), stages.authorization], routes)
}

const present = (stage: Stage | null): Stage[] => (stage === null ? [] : [stage])

export function chain(stages: readonly Stage[], last: Handler): Handler {
  return stages.reduceRight<Handler>(
    (next, stage) =>
      (request: ApiRequest): Promise<ApiResponse> =>
        stage(request, next),
    last,
  )
}
