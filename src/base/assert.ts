/** Crashes the process on a broken invariant, rather than corrupting data. */
export function assert(condition: unknown, message = 'broken invariant'): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
