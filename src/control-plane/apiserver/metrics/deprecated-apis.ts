/** Remembers which deprecated versions were asked for, so that an administrator sees what an upgrade would break. */
import type { Registry } from 'prom-client'
import type { RequestInfo } from '../request.ts'
import { CountFamily } from './families.ts'

export class DeprecatedApis {
  readonly #family: CountFamily
  readonly #told = new Set<string>()

  constructor(registry: Registry) {
    this.#family = new CountFamily(
      registry,
      'apiserver_requested_deprecated_apis',
      'Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.',
      'gauge',
    )
  }

  /** `removedRelease`: `1.40`; '' where none is planned. Resources and subresources are known ones. */
  note({ group, version, resource, subresource }: RequestInfo, removedRelease: string): void {
    const key = `${group}/${version}/${resource}/${subresource}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.#family.series({ group, version, resource, subresource, removed_release: removedRelease }).add()
  }
}
