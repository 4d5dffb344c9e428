/** Refuses events beyond a rate: of the whole server, of a namespace, of a user, or about one object. */
import type { Event } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import { invalidValue, notSupported, type FieldError } from '#machinery/field-error.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'

export type EventLimit = {
  readonly type: string
  readonly qps: number
  readonly burst: number
  /** Buckets that are kept; the least recently used one goes first. */
  readonly cacheSize?: number
}

const CACHE_SIZE_DEFAULT = 4096
const RETRY_SECONDS = 1

const KEYS: Readonly<Record<string, (attributes: AdmissionAttributes) => string>> = {
  Server: () => '',
  Namespace: ({ namespace }) => namespace,
  User: ({ user }) => user.name,
  SourceAndObject: ({ object }) => {
    const { source, involvedObject } = object as Event
    const { kind, namespace, name, uid, apiVersion } = involvedObject ?? {}
    return [source?.component, source?.host, kind, namespace, name, uid, apiVersion].join('')
  },
}

export function validateEventLimits(limits: readonly EventLimit[]): FieldError[] {
  if (limits.length === 0) return [invalidValue('limits', limits, 'must not be empty')]
  return limits.flatMap(({ type, qps, burst, cacheSize }, i) => [
    ...(!Object.hasOwn(KEYS, type) ? [notSupported(`limits[${i}].type`, type, Object.keys(KEYS))] : []),
    ...(burst > 0 ? [] : [invalidValue(`limits[${i}].burst`, burst, 'must be positive')]),
    ...(qps > 0 ? [] : [invalidValue(`limits[${i}].qps`, qps, 'must be positive')]),
    ...(type === 'Server' || (cacheSize ?? 0) >= 0
      ? []
      : [invalidValue(`limits[${i}].cacheSize`, cacheSize, 'must not be negative')]),
  ])
}

export function createEventRateLimit(limits: readonly EventLimit[], clock: Clock): AdmissionPlugin {
  const buckets = limits.map((limit) => new Buckets(limit, clock))
  return {
    name: 'EventRateLimit',
    validate(attributes) {
      const { kind, operation, dryRun } = attributes
      if (kind.kind !== 'Event' || kind.group !== '' || dryRun) return
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      // Each of them counts the event, whatever the others say.
      const reached = limits.flatMap(({ type }, i) => {
        const key = KEYS[type]!(attributes)
        return buckets[i]!.take(key) ? [] : [`limit reached on type ${type} for key ${key}`]
      })
      if (reached.length > 0) throw tooManyEvents(reached.length === 1 ? reached[0]! : `[${reached.join(', ')}]`)
    },
  }
}

function tooManyEvents(message: string): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message,
    details: { retryAfterSeconds: RETRY_SECONDS },
    headers: { 'Retry-After': String(RETRY_SECONDS) },
  })
}

type Bucket = { tokens: number; atMs: number }

/** Token buckets by key, the most recently used ones last. */
class Buckets {
  readonly #limit: EventLimit
  readonly #clock: Clock
  readonly #byKey = new Map<string, Bucket>()
  constructor(limit: EventLimit, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  take(key: string): boolean {
    const { qps, burst, cacheSize } = this.#limit
    const now = this.#clock.monotonic()
    const bucket = this.#byKey.get(key) ?? { tokens: burst, atMs: now }
    this.#byKey.delete(key)
    this.#byKey.set(key, bucket)
    if (this.#byKey.size > (cacheSize || CACHE_SIZE_DEFAULT)) this.#byKey.delete(this.#byKey.keys().next().value!)
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) / 1000) * qps)
    bucket.atMs = now
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
