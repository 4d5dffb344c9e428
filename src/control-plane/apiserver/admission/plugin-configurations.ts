/** The parts of an AdmissionConfiguration that single plugins read, with upstream's checks. */
import { formatFieldErrors, required } from '#machinery/field-error.ts'
import { configurationOf, initFailure, type PluginConfigurations } from './configuration.ts'
import { validateEventLimits, type EventLimit } from './event-rate-limit.ts'
import { parseSelectorLabels } from './pod-node-selector.ts'
import type { TolerationConfiguration } from './pod-toleration-restriction.ts'
import type { LimitedResource } from './resource-quota/limited-resources.ts'

export function readEventLimits(configurations: PluginConfigurations): readonly EventLimit[] {
  const plugin = 'EventRateLimit'
  const form = {
    group: 'eventratelimit.admission.k8s.io',
    versions: ['v1alpha1'],
    kind: 'Configuration',
    fields: ['limits'],
  }
  const written = configurationOf<{ limits?: readonly EventLimit[] }>(configurations, plugin, form)
  const limits = written?.limits ?? []
  const errors = validateEventLimits(limits)
  if (errors.length > 0) throw initFailure(plugin, formatFieldErrors(errors))
  return limits
}

export function readTolerationConfiguration(configurations: PluginConfigurations): TolerationConfiguration {
  const form = {
    group: 'podtolerationrestriction.admission.k8s.io',
    versions: ['v1alpha1'],
    kind: 'Configuration',
    fields: ['default', 'whitelist'],
  }
  return configurationOf<TolerationConfiguration>(configurations, 'PodTolerationRestriction', form) ?? {}
}

export function readNodeSelectors(configurations: PluginConfigurations): Readonly<Record<string, string>> {
  const written = configurations.get('PodNodeSelector') as
    | { readonly podNodeSelectorPluginConfig?: Readonly<Record<string, string>> }
    | undefined
  const selectors = written?.podNodeSelectorPluginConfig ?? {}
  for (const selector of Object.values(selectors)) parseSelectorLabels(selector)
  return selectors
}

export function readLimitedResources(configurations: PluginConfigurations): readonly LimitedResource[] {
  const plugin = 'ResourceQuota'
  const form = { kind: 'ResourceQuotaConfiguration', fields: ['limitedResources'] }
  const group = { group: 'apiserver.config.k8s.io', versions: ['v1'] }
  const written = configurationOf<{ limitedResources?: readonly LimitedResource[] }>(configurations, plugin, {
    ...form,
    ...group,
  })
  const limited = written?.limitedResources ?? []
  const errors = limited.flatMap(({ resource }, i) => (resource ? [] : [required(`limitedResources[${i}].resource`)]))
  if (errors.length > 0) throw initFailure(plugin, formatFieldErrors(errors))
  return limited
}

/** Images would have to be judged by a backend that nobody asks: a cluster that relies on it must not start. */
export function refuseImagePolicy(): never {
  throw initFailure('ImagePolicyWebhook', 'this API server does not ask image policy backends')
}
