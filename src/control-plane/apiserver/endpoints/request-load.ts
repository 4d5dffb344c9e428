/** What a request will have to do with the stored objects: how many and how large they are, and who watches. */
import type { RequestLoad } from '../flow-control/work-estimate.ts'
import type { Resources } from '../registry/resource.ts'

export function createRequestLoad(resources: Resources): RequestLoad {
  return {
    objectStats({ group, version, resource }) {
      const cache = resources.get(group, version, resource)?.cache
      if (cache === undefined) return null
      return { count: cache.size, averageBytes: cache.size === 0 ? 0 : cache.bytes / cache.size }
    },
    watcherCount({ group, version, resource, namespace, name }) {
      return resources.get(group, version, resource)?.cache.watcherCount(namespace, name) ?? 0
    },
  }
}
