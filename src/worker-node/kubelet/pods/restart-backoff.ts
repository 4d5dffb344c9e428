/** How long a container that keeps ending waits before it runs again: 10 s, doubled up to 5 minutes, forgotten after 10. */

export const BACKOFF_INITIAL_MS = 10_000
export const BACKOFF_MAX_MS = 300_000
/** A container that ran this long since its last restart begins anew. */
const FORGET_MS = 2 * BACKOFF_MAX_MS

type Entry = { readonly delayMs: number; readonly updatedAtMs: number }

/** Keys are chosen by the caller: a container's name with its hash, or an image. */
export class Backoff {
  readonly #entries = new Map<string, Entry>()

  /** The delay in force for `key`, counted from `sinceMs` (the container's end, the failed pull); 0 when none. */
  delayOf(key: string, sinceMs: number): number {
    const entry = this.#entries.get(key)
    return entry === undefined || hasExpired(entry, sinceMs) ? 0 : entry.delayMs
  }

  /** Notes a new attempt: the next one waits twice as long. */
  advance(key: string, sinceMs: number, nowMs: number): void {
    const entry = this.#entries.get(key)
    const fresh = entry === undefined || hasExpired(entry, sinceMs)
    const delayMs = fresh ? BACKOFF_INITIAL_MS : Math.min(2 * entry.delayMs, BACKOFF_MAX_MS)
    this.#entries.set(key, { delayMs, updatedAtMs: nowMs })
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  /** Drops what no longer counts, so that a long life of many images does not grow the map. */
  prune(nowMs: number): void {
    for (const [key, entry] of this.#entries) if (hasExpired(entry, nowMs)) this.#entries.delete(key)
  }
}

const hasExpired = (entry: Entry, sinceMs: number): boolean => sinceMs - entry.updatedAtMs > FORGET_MS

/** `1m20s`, as Go prints durations of whole seconds. */
export function formatSeconds(ms: number): string {
  const total = Math.round(ms / 1000)
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  return `${hours > 0 ? `${hours}h` : ''}${total >= 60 ? `${minutes}m` : ''}${seconds}s`
}
