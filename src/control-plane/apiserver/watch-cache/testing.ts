/** Builders for tests of the watch cache: a cache of pods over a memory store on a virtual clock. */
import assert from 'node:assert/strict'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import type { Store } from '../../store/store.ts'
import type { ServedWatchEvent, WatchStream } from '../request.ts'
import { ResourceCache, type ResourceCacheOptions } from './resource-cache.ts'

export type TestPod = KubernetesObject & { spec: { nodeName?: string }; status: { phase?: string } }

export type PodFields = { labels?: Record<string, string>; nodeName?: string; phase?: string; padding?: string }

export function podBytes(namespace: string, name: string, fields: PodFields = {}): Buffer {
  const { labels, nodeName, phase, padding } = fields
  return Buffer.from(
    JSON.stringify({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name,
        namespace,
        uid: `uid-${name}`,
        labels,
        annotations: padding === undefined ? undefined : { padding },
      },
      spec: { nodeName },
      status: { phase },
    }),
  )
}

export class CacheFixture {
  readonly clock = new VirtualClock()
  readonly store: Store
  readonly cache: ResourceCache
  readonly #options: Partial<ResourceCacheOptions>

  constructor(options: Partial<ResourceCacheOptions> = {}) {
    this.#options = options
    this.store = options.store ?? createMemoryStore({ clock: this.clock })
    this.cache = this.openCache()
  }

  /** Another cache of the same store, as after a restart. */
  openCache(): ResourceCache {
    return new ResourceCache({
      store: this.store,
      clock: this.clock,
      log: NO_LOG,
      prefix: '/registry/pods/',
      namespaced: true,
      emptyObject: { kind: 'Pod', apiVersion: 'v1' },
      selectableFields: {
        'spec.nodeName': (pod: TestPod) => pod.spec.nodeName ?? '',
        'status.phase': (pod: TestPod) => pod.status.phase ?? '',
      },
      indexedField: 'spec.nodeName',
      freeze: true,
      ...this.#options,
    })
  }

  /** Creates or replaces; returns the revision. */
  async put(namespace: string, name: string, fields: PodFields = {}): Promise<number> {
    return this.#write(namespace, name, podBytes(namespace, name, fields))
  }

  async remove(namespace: string, name: string): Promise<number> {
    return this.#write(namespace, name, null)
  }

  /** Moves the store's revision without touching pods. */
  async touch(key = '/registry/other/x'): Promise<number> {
    const { entry } = await this.store.get(key)
    const result = await this.store.write(key, { expectedRevision: entry?.modRevision ?? 0, value: Buffer.from('{}') })
    return result.revision
  }

  async #write(namespace: string, name: string, value: Buffer | null): Promise<number> {
    const key = this.cache.keyOf(namespace, name)
    const { entry } = await this.store.get(key)
    const result = await this.store.write(key, { expectedRevision: entry?.modRevision ?? 0, value })
    assert.ok(result.ok)
    return result.revision
  }
}

/** `ADDED a/x@2` for each event; bookmarks and errors without a name. */
export function describe(events: readonly ServedWatchEvent[]): string[] {
  return events.map((event) => {
    const object = event.object() as KubernetesObject & { message?: string; reason?: string }
    assert.deepEqual(JSON.parse(event.bytes.toString()), object)
    if (event.type === 'ERROR') return `ERROR ${object.reason}: ${object.message}`
    const { namespace, name, resourceVersion, annotations } = object.metadata
    if (event.type !== 'BOOKMARK') return `${event.type} ${namespace}/${name}@${resourceVersion}`
    return `BOOKMARK@${resourceVersion}${annotations?.['k8s.io/initial-events-end'] === 'true' ? ' end' : ''}`
  })
}

/** The next `count` events, each batch as it comes. */
export async function take(stream: WatchStream, count: number): Promise<string[]> {
  const events: string[] = []
  while (events.length < count) {
    const batch = await stream.next()
    assert.ok(batch !== null, `watch ended after ${events.join(', ')}`)
    events.push(...describe(batch))
  }
  return events
}
