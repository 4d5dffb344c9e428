/** What a stricter level will say of the pods that a namespace has already. Pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import { evaluatePod, reasonsText } from './evaluate.ts'
import { formatLevel, isFullyPrivileged, isSame, type LevelVersion, type Policy } from './policy.ts'

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

type Asked = { readonly policy: Policy; readonly defaults: Policy; readonly labels: Readonly<Record<string, string>> }

const MODES = ['enforce', 'audit', 'warn'] as const

/** That labels of an exempt namespace do nothing; null when they ask for nothing anyway. */
export function exemptionWarning(namespace: string, { policy, defaults, labels }: Asked): string | null {
  if (isFullyPrivileged(policy) || MODES.every((mode) => isSame(policy[mode], defaults[mode]))) return null
  const asked = MODES.filter((mode) => {
    const label = `pod-security.kubernetes.io/${mode}`
    const isSaid = labels[label] !== undefined || labels[`${label}-version`] !== undefined
    return isSaid && policy[mode].level !== 'privileged'
  }).map((mode) => `${mode}=${formatLevel(policy[mode])}`)
  return `namespace ${JSON.stringify(namespace)} is exempt from Pod Security, and the policy (${asked.join(', ')}) will be ignored`
}
