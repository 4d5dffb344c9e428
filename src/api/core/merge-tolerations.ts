/** One list of tolerations out of two (upstream's MergeTolerations): those that others cover are left out. */
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Toleration } from './v1.gen.ts'

/** Of equal ones the first stays. */
export function mergeTolerations(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second]
  const merged: Toleration[] = []
  all.forEach((toleration, i) => {
    if (merged.some((kept) => covers(kept, toleration))) return
    const isCoveredLater = all
      .slice(i + 1)
      .some((later) => !isSemanticallyEqual(later, toleration) && covers(later, toleration))
    if (!isCoveredLater) merged.push(toleration)
  })
  return merged
}

/** Whoever has `one` tolerates all that `other` does. */
export function covers(one: Toleration, other: Toleration): boolean {
  if (isSemanticallyEqual(one, other)) return true
  const matchesAllKeys = !one.key && one.operator === 'Exists'
  if ((one.key ?? '') !== (other.key ?? '') && !matchesAllKeys) return false
  if (one.effect && one.effect !== other.effect) return false
  if (one.effect === 'NoExecute' && one.tolerationSeconds !== undefined) {
    if (other.tolerationSeconds === undefined || other.tolerationSeconds > one.tolerationSeconds) return false
  }
  if (one.operator === 'Exists') return true
  const isEqual = (one.operator ?? 'Equal') === 'Equal'
  return isEqual && other.operator === 'Equal' && (one.value ?? '') === (other.value ?? '')
}
