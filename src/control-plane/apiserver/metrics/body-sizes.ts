/** How large the bodies of requests are. */
import type { Registry } from 'prom-client'
import type { ApiRequest } from '../request.ts'
import { DistributionFamily, type Distribution } from './families.ts'

/** Upstream's: 50 kB, then steps of 100 kB up to the limit of a body. */
const BUCKETS = Array.from({ length: 31 }, (_, position) => 50_000 + position * 100_000)
/** Resources are known before a body is read; what clients make up has none. */
const SERIES_MAX = 2000

export class BodySizes {
  readonly #family: DistributionFamily
  readonly #series = new Map<string, Distribution>()

  constructor(registry: Registry) {
    this.#family = new DistributionFamily(
      registry,
      'apiserver_request_body_size_bytes',
      'Apiserver request body size in bytes broken out by resource and verb.',
      BUCKETS,
    )
  }

  observe(request: ApiRequest, bytes: number): void {
    if (!request.info.isResourceRequest) return
    const { group, resource, verb } = request.info
    const key = `${group} ${resource} ${verb}`
    let series = this.#series.get(key)
    if (series === undefined) {
      if (this.#series.size >= SERIES_MAX) return
      series = this.#family.series({ group, resource, verb })
      this.#series.set(key, series)
    }
    series.observe(bytes)
  }
}
