/** Reads the key of an extra field of a user out of the name of a header. */

/** A key that is not encoded properly stands for itself. */
export function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
