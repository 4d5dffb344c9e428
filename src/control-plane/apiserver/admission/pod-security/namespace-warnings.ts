/** What a stricter level will say of the pods that a namespace has already. Pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import { evaluatePod, reasonsText } from './evaluate.ts'
import { formatLevel, type LevelVersion } from './policy.ts'

/** Checking must not hold up the write. */
const PODS_MAX = 3000

export function namespaceWarnings(namespace: string, enforce: LevelVersion, all: readonly Pod[]): string[] {
  const pods = onePerControllerFirst(all)
  const checked = pods.slice(0, PODS_MAX)
  const namesByReason = new Map<string, string[]>()
  for (const { metadata, spec } of checked) {
    const violations = evaluatePod(enforce, spec, metadata)
    if (violations.length === 0) continue
    const reasons = reasonsText(violations)
    namesByReason.set(reasons, [...(namesByReason.get(reasons) ?? []), metadata.name])
  }
  const warnings: string[] = []
  if (checked.length < pods.length)
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`,
    )
  if (namesByReason.size === 0) return warnings
  const level = JSON.stringify(formatLevel(enforce))
  warnings.push(
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${level}`,
  )
  return [...warnings, ...[...namesByReason].map(([reasons, names]) => `${podsText(names)}: ${reasons}`).toSorted()]
}

function podsText(names: readonly string[]): string {
  const [first] = names.toSorted()
  const others = names.length - 1
  return others === 0 ? first! : `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'})`
}

/** Pods of one controller are alike: the others come last. */
function onePerControllerFirst(pods: readonly Pod[]): Pod[] {
  const seen = new Set<string>()
  const [first, rest]: [Pod[], Pod[]] = [[], []]
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid
    if (owner !== undefined && seen.has(owner)) rest.push(pod)
    else first.push(pod)
    if (owner !== undefined) seen.add(owner)
  }
  return [...first, ...rest]
}
