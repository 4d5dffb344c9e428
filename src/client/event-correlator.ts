/** Decides what becomes of each event: a new object, one more of an equal one, a line that stands for many similar ones, or nothing. */
import type { Clock } from '#base/clock.ts'
import type { ObjectReference } from './event-recorder.ts'

export type EventFacts = {
  readonly about: ObjectReference
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly atMs: number
}

/** An event object that equal events are counted up in; without a name it is not written yet. */
export type KnownEvent = { name: string | null; count: number; readonly firstAtMs: number }

export type CorrelatedEvent = {
  readonly known: KnownEvent
  /** The count that this occurrence brings it to. */
  readonly count: number
  readonly message: string
}

/** client-go's caches. */
const KNOWN_MAX = 4096
/** From the tenth different message about one thing on, in ten minutes, they share one event. */
const [SIMILAR_MAX, SIMILAR_INTERVAL_MS] = [10, 600_000]
/** So many events of one type about one object at once, then one every five minutes. */
const [BURST_MAX, REFILL_MS] = [25, 300_000]

type Similar = { readonly messages: Set<string>; lastAtMs: number }
type Bucket = { tokens: number; atMs: number }

/** Serves one source of events. */
export class EventCorrelator {
  readonly #clock: Clock
  readonly #known = new Map<string, KnownEvent>()
  readonly #similar = new Map<string, Similar>()
  readonly #buckets = new Map<string, Bucket>()
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Null when the object has had its share of events; such an event still counts. */
  correlate(facts: EventFacts): CorrelatedEvent | null {
    const { about, type, reason, message, atMs } = facts
    const object = [about.apiVersion, about.kind, about.namespace, about.name, about.uid]
    const similarKey = JSON.stringify([...object, about.fieldPath, type, reason])
    const isCombined = this.#isOneOfMany(similarKey, message)
    const key = isCombined ? similarKey : JSON.stringify([similarKey, message])
    const known = this.#known.get(key) ?? { name: null, count: 0, firstAtMs: atMs }
    known.count++
    putNewest(this.#known, key, known)
    if (!this.#takeToken(JSON.stringify([...object, type]))) return null
    return { known, count: known.count, message: isCombined ? `(combined from similar events): ${message}` : message }
  }

  #isOneOfMany(key: string, message: string): boolean {
    const now = this.#clock.now()
    const remembered = this.#similar.get(key)
    const isRecent = remembered !== undefined && now - remembered.lastAtMs <= SIMILAR_INTERVAL_MS
    const similar: Similar = isRecent ? remembered : { messages: new Set(), lastAtMs: now }
    similar.messages.add(message)
    similar.lastAtMs = now
    putNewest(this.#similar, key, similar)
    if (similar.messages.size < SIMILAR_MAX) return false
    similar.messages.delete(similar.messages.values().next().value!) // One goes, so that the set does not grow.
    return true
  }

  #takeToken(key: string): boolean {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? { tokens: BURST_MAX, atMs: now }
    bucket.tokens = Math.min(BURST_MAX, bucket.tokens + (now - bucket.atMs) / REFILL_MS)
    bucket.atMs = now
    putNewest(this.#buckets, key, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}

/** The one that was used longest ago makes room. */
function putNewest<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > KNOWN_MAX) map.delete(map.keys().next().value!)
}
