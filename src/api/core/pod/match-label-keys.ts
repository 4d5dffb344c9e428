/** Writes the pod's own labels into selectors that ask for them by key (matchLabelKeys). */
import type { Pod, PodAffinityTerm } from '#api/core/v1.gen.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'

export function applyMatchLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata.labels ?? {}
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      applyToTerm(podAffinityTerm, labels)
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) applyToTerm(term, labels)
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? [])
    addRequirements(labelSelector, matchLabelKeys, { operator: 'In', labels })
}

type Labels = Readonly<Record<string, string>>

function applyToTerm({ labelSelector, matchLabelKeys, mismatchLabelKeys }: PodAffinityTerm, labels: Labels): void {
  addRequirements(labelSelector, matchLabelKeys, { operator: 'In', labels })
  addRequirements(labelSelector, mismatchLabelKeys, { operator: 'NotIn', labels })
}

function addRequirements(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  { operator, labels }: { readonly operator: string; readonly labels: Labels },
): void {
  if (selector === undefined) return
  for (const key of keys ?? []) {
    const value = labels[key]
    if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] })
  }
}
