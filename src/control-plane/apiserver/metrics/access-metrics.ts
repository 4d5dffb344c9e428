/** Counts who is let in and what is allowed, and how long it took to find out. */
import type { Registry } from 'prom-client'
import type { Clock } from '#base/clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ApiRequest, ApiResponse, Stage } from '../request.ts'
import { CountFamily, DistributionFamily, exponentialBuckets, type Count, type Distribution } from './families.ts'

const DURATION_BUCKETS = exponentialBuckets(0.001, 2, 15)
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400]
const EXPIRATION_BUCKETS = [
  0,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  4 * DAY,
  7 * DAY,
  30 * DAY,
  90 * DAY,
  180 * DAY,
  360 * DAY,
]
/** Names that may stand in a label; there are too many others. */
const KNOWN_USERS = new Set(['admin', 'client', 'kube_proxy', 'kubelet', 'system:serviceaccount:kube-system:default'])

class Attempts {
  readonly #counts: CountFamily
  readonly #durations: DistributionFamily
  readonly #results = new Map<string, { readonly count: Count; readonly duration: Distribution }>()

  constructor(
    registry: Registry,
    names: { readonly count: string; readonly duration: string; readonly help: readonly [string, string] },
  ) {
    this.#counts = new CountFamily(registry, names.count, names.help[0])
    this.#durations = new DistributionFamily(registry, names.duration, names.help[1], DURATION_BUCKETS)
  }

  observe(result: string, seconds: number): void {
    let series = this.#results.get(result)
    if (series === undefined) {
      series = { count: this.#counts.series({ result }), duration: this.#durations.series({ result }) }
      this.#results.set(result, series)
    }
    series.count.add()
    series.duration.observe(seconds)
  }
}

export class AccessMetrics {
  readonly #authentication: Attempts
  readonly #authorization: Attempts
  readonly #users = new Map<string, Count>()
  readonly #userRequests: CountFamily
  readonly #expirations: Distribution

  constructor(registry: Registry) {
    this.#authentication = new Attempts(registry, {
      count: 'authentication_attempts',
      duration: 'authentication_duration_seconds',
      help: ['Counter of authenticated attempts.', 'Authentication duration in seconds broken out by result.'],
    })
    this.#authorization = new Attempts(registry, {
      count: 'authorization_attempts_total',
      duration: 'authorization_duration_seconds',
      help: [
        "Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
        'Authorization duration in seconds broken out by result.',
      ],
    })
    this.#userRequests = new CountFamily(
      registry,
      'authenticated_user_requests',
      'Counter of authenticated requests broken out by username.',
    )
    this.#expirations = new DistributionFamily(
      registry,
      'apiserver_client_certificate_expiration_seconds',
      'Distribution of the remaining lifetime on the certificate used to authenticate a request.',
      EXPIRATION_BUCKETS,
    ).series()
  }

  aroundAuthentication(stage: Stage, clock: Clock): Stage {
    const passed = (request: ApiRequest): void => {
      this.#countUser(request.user.name)
      const certificate = request.connection?.certificate() ?? null
      if (certificate?.trusted) this.#expirations.observe((certificate.notAfterMs - clock.now()) / 1000)
    }
    return measured(stage, clock, (request, error, seconds) => {
      if (error === null) passed(request)
      this.#authentication.observe(error === null ? 'success' : isRefusal(error, 401) ? 'failure' : 'error', seconds)
    })
  }

  aroundAuthorization(stage: Stage, clock: Clock): Stage {
    return measured(stage, clock, (_request, error, seconds) =>
      this.#authorization.observe(error === null ? 'allowed' : isRefusal(error, 403) ? 'no-opinion' : 'error', seconds),
    )
  }

  #countUser(name: string): void {
    const username = KNOWN_USERS.has(name) ? name : name.includes('@') ? 'email_id' : 'other'
    let count = this.#users.get(username)
    if (count === undefined) this.#users.set(username, (count = this.#userRequests.series({ username })))
    count.add()
  }
}

const isRefusal = (error: unknown, code: number): boolean => error instanceof StatusError && error.code === code

type Told = (request: ApiRequest, error: unknown, seconds: number) => void

/** Tells once how the stage itself went: that it let the request pass, or why it threw before. */
function measured(stage: Stage, clock: Clock, tell: Told): Stage {
  return async (request, next): Promise<ApiResponse> => {
    const startMs = clock.monotonic()
    let hasPassed = false
    try {
      return await stage(request, (passing) => {
        hasPassed = true
        tell(passing, null, (clock.monotonic() - startMs) / 1000)
        return next(passing)
      })
    } catch (error) {
      if (!hasPassed) tell(request, error, (clock.monotonic() - startMs) / 1000)
      throw error
    }
  }
}
