/** Warns of old node labels and of selectors that match nothing. */
import type { NodeSelectorTerm, PodAffinity, PodAntiAffinity, PodSpec } from '#api/core/v1.gen.ts'
import { isValidLabelValue } from '#machinery/validation/names.ts'

const OLD_LABELS: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
])

/** Why a node label should not be used any more; undefined when it is fine. */
export function oldLabelText(label: string): string | undefined {
  return OLD_LABELS.get(label)
}

const NULL_SELECTOR = 'a null labelSelector results in matching no pod'

export function labelWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = []
  for (const label in spec.nodeSelector) {
    const text = oldLabelText(label)
    if (text !== undefined) warnings.push(`${path}.nodeSelector[${label}]: ${text}`)
  }
  const affinity = spec.affinity?.nodeAffinity
  const place = `${path}.affinity.nodeAffinity`
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  for (const [i, term] of (affinity?.[required]?.nodeSelectorTerms ?? []).entries())
    warnings.push(...termWarnings(term, { path: `${place}.${required}.nodeSelectorTerms[${i}]`, checksValues: false }))
  for (const [i, { preference }] of (affinity?.[preferred] ?? []).entries())
    warnings.push(
      ...termWarnings(preference ?? {}, { path: `${place}.${preferred}[${i}].preference`, checksValues: true }),
    )
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const text = oldLabelText(topologyKey)
    const at = `${path}.topologySpreadConstraints[${i}]`
    if (text !== undefined) warnings.push(`${at}.topologyKey: ${topologyKey} is ${text}`)
    if (labelSelector === undefined) warnings.push(`${at}.labelSelector: ${NULL_SELECTOR}`)
  }
  return warnings
}

type TermPlace = { readonly path: string; readonly checksValues: boolean }

export function termWarnings({ matchExpressions = [] }: NodeSelectorTerm, { path, checksValues }: TermPlace): string[] {
  const warnings: string[] = []
  for (const [i, { key, values = [] }] of matchExpressions.entries()) {
    const place = `${path}.matchExpressions[${i}]`
    const text = oldLabelText(key)
    if (text !== undefined) warnings.push(`${place}.key: ${key} is ${text}`)
    if (!checksValues) continue
    for (const [j, value] of values.entries())
      for (const problem of isValidLabelValue(value))
        warnings.push(`${place}.values[${j}]: ${value} is invalid, ${problem}`)
  }
  return warnings
}

export function affinityWarnings({ affinity }: PodSpec, path: string): string[] {
  return [
    ...selectorWarnings(affinity?.podAffinity, `${path}.affinity.podAffinity`),
    ...selectorWarnings(affinity?.podAntiAffinity, `${path}.affinity.podAntiAffinity`),
  ]
}

function selectorWarnings(affinity: PodAffinity | PodAntiAffinity | undefined, path: string): string[] {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  return [
    ...(affinity?.[required] ?? []).flatMap(({ labelSelector }, i) =>
      labelSelector === undefined ? [`${path}.${required}[${i}].labelSelector: ${NULL_SELECTOR}`] : [],
    ),
    ...(affinity?.[preferred] ?? []).flatMap(({ podAffinityTerm }, i) =>
      podAffinityTerm?.labelSelector === undefined
        ? [`${path}.${preferred}[${i}].podAffinityTerm.labelSelector: ${NULL_SELECTOR}`]
        : [],
    ),
  ]
}
