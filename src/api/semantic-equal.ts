/** Equality of objects as upstream's semantic comparison sees it: an absent list and an empty one are the same. */

/** Deep equality of decoded values; absent, null and empty lists are equal, the order of map keys does not matter. */
export function isSemanticallyEqual(left: unknown, right: unknown): boolean {
  if (left === right || areEmptyBytes(left, right)) return true
  if (isNothing(left) || isNothing(right)) return isNothing(left) && isNothing(right)
  if (typeof left !== 'object' || typeof right !== 'object') return false
  if (Array.isArray(left)) return Array.isArray(right) && areListsEqual(left, right)
  if (Array.isArray(right)) return false
  return areFieldsEqual(left as Record<string, unknown>, right as Record<string, unknown>)
}

/** No bytes are null where they are stored, and an empty text where they were decoded. */
function areEmptyBytes(left: unknown, right: unknown): boolean {
  return (left === null && right === '') || (left === '' && right === null)
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

function areListsEqual(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i++) if (!isSemanticallyEqual(left[i], right[i])) return false
  return true
}

function areFieldsEqual(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  for (const name in left) if (!isSemanticallyEqual(left[name], right[name])) return false
  for (const name in right) if (!(name in left) && !isNothing(right[name])) return false
  return true
}
