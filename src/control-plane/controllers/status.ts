/** When a status is worth a write. */
import { isDeepStrictEqual } from 'node:util'

/** Absent numbers are zeros, and absent conditions are none. */
export function isSameStatus(left: object = {}, right: object = {}): boolean {
  return isDeepStrictEqual(withoutEmpty(left), withoutEmpty(right))
}

function withoutEmpty(status: object): unknown {
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== 0 && !(Array.isArray(value) && value.length === 0)),
  )
}
