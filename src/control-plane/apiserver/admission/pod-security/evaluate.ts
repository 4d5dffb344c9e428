/** Runs the checks of a level against a pod. Pure. */
import type { PodSpec } from '#api/core/v1.gen.ts'
import { BASELINE_CHECKS } from './baseline-checks.ts'
import type { Check, CheckPod, Violation } from './check.ts'
import { NEWEST_VERSION, type LevelVersion } from './policy.ts'
import { RESTRICTED_CHECKS } from './restricted-checks.ts'

const known = new Map<string, readonly CheckPod[]>()

export function evaluatePod(
  { level, version }: LevelVersion,
  spec: PodSpec,
  metadata: Parameters<CheckPod>[1],
): Violation[] {
  if (level === 'privileged') return []
  const minor = version === 'latest' ? NEWEST_VERSION : Math.min(version, NEWEST_VERSION)
  const id = `${level}/${minor}`
  let checks = known.get(id)
  if (checks === undefined) known.set(id, (checks = checksOf(level, minor)))
  return checks.flatMap((check) => check(spec, metadata) ?? [])
}

function checksOf(level: 'baseline' | 'restricted', minor: number): CheckPod[] {
  const baseline = atVersion(BASELINE_CHECKS, minor)
  if (level === 'baseline') return baseline.map(({ check }) => check)
  const restricted = atVersion(RESTRICTED_CHECKS, minor)
  const overridden = new Set(restricted.map(({ overrides }) => overrides))
  return [...baseline.filter(({ id }) => !overridden.has(id)), ...restricted].map(({ check }) => check)
}

function atVersion(checks: readonly Check[], minor: number) {
  return checks.flatMap(({ id, overrides, versions }) => {
    const version = versions.findLast(({ since }) => since <= minor)
    return version === undefined ? [] : [{ id, overrides, check: version.check }]
  })
}

export const reasonsText = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(', ')

export function detailsText(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
}
