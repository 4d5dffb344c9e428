/** The protocol of HTTP probes and hooks: with the feature it is always said, HTTP1 unless the pod wants otherwise. */
import type { PodSpec, Probe } from '#api/core/v1.gen.ts'
import { DEFAULT_FEATURE_GATES, type FeatureGates } from '#base/feature-gates.ts'
import type { AnyContainer } from './containers-of.ts'

type HttpAction = NonNullable<Probe['httpGet']>

export function setHttpProtocols(spec: PodSpec | undefined, features: FeatureGates = DEFAULT_FEATURE_GATES): void {
  if (spec === undefined || !features.isEnabled('H2CContainerProbe')) return
  const { containers, initContainers = [], ephemeralContainers = [] } = spec
  for (const container of [...(containers ?? []), ...initContainers, ...ephemeralContainers])
    for (const action of httpActions(container)) action.protocol ??= 'HTTP1'
}

export function probesOf({ livenessProbe, readinessProbe, startupProbe }: AnyContainer): Probe[] {
  return [livenessProbe, readinessProbe, startupProbe].filter((probe) => probe !== undefined)
}

export function httpActions(container: AnyContainer): HttpAction[] {
  const { postStart, preStop } = container.lifecycle ?? {}
  return [...probesOf(container).map(({ httpGet }) => httpGet), postStart?.httpGet, preStop?.httpGet].filter(
    (action) => action !== undefined,
  )
}
