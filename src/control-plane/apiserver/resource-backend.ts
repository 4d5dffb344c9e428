/** The seam between the server's front and its resources: what the resource handler gets, and what it gives. */
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import type { Store } from '#control-plane/store/store.ts'
import type { AdmissionSettings } from './admission/index.ts'
import type { TokenAuthenticator, TokenIssuer } from './authentication/token-authenticator.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import type { RequestLoad } from './flow-control/work-estimate.ts'
import type { ComponentCheck } from './health/component-checks.ts'
import type { AdmissionMetrics } from './metrics/admission-metrics.ts'
import type { DeprecatedApis } from './metrics/deprecated-apis.ts'
import type { ServerFacts } from './metrics/server-info.ts'
import type { Handler } from './request.ts'
import type { ApiServerSettings } from './settings.ts'

export type NodePortRange = { readonly from: number; readonly to: number }

export type ResourceDependencies = {
  readonly store: Store
  readonly kinds: readonly KindDefinition[]
  readonly clock: Clock
  readonly random: RandomSource
  readonly features: FeatureGates
  readonly log: Logger
  /** For access reviews, escalation checks and admission. */
  readonly authorizer: Authorizer
  /** For TokenReview and TokenRequest. */
  readonly tokens: TokenAuthenticator & TokenIssuer
  /** This server itself, as a member of system:masters: usable once the backend is ready. */
  readonly client: Client
  /** Parts of the control plane by name, for ComponentStatus; missing where there are none. */
  readonly components?: ReadonlyMap<string, ComponentCheck>
  /** Which admission plugins run, and how. */
  readonly admission?: AdmissionSettings
  /** Told what admission does, and which deprecated versions are asked for. */
  readonly metrics?: { readonly admission: AdmissionMetrics; readonly deprecatedApis: DeprecatedApis }
  readonly serviceClusterIpRange: string
  readonly nodePortRange: NodePortRange
  readonly settings: Pick<ApiServerSettings, 'watchSecondsMin' | 'eventTtlSeconds' | 'tokenSecondsMax' | 'apiAudiences'>
}

export interface ResourceBackend {
  /** Answers every request about resources but the proxies and streams of pods. */
  readonly handler: Handler
  /** What priority and fairness ask to estimate a request. */
  readonly load: RequestLoad
  /** What there is, for metrics. */
  readonly facts: Pick<ServerFacts, 'resources' | 'pools'>
  /** Resolves when the caches are filled: before, requests are refused with 429. */
  ready(): Promise<void>
  close(): Promise<void>
}
