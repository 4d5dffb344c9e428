/** Finds the watchers that a change may concern, so that a watcher of one object costs nothing when others change. */
import type { CacheEvent } from './cache-event.ts'
import type { CachedObject } from './cached-object.ts'
import type { CacheWatcher } from './cache-watcher.ts'

/** What a watcher is bound to, narrowest first. */
export type WatcherScope =
  | { readonly by: 'key'; readonly value: string }
  /** Value of the cache's indexed field (`spec.nodeName` of pods). */
  | { readonly by: 'field'; readonly value: string }
  | { readonly by: 'namespace'; readonly value: string }
  | { readonly by: 'all' }

export class WatcherIndex {
  readonly #indexedField: ((object: CachedObject) => string) | null
  readonly #scopes = new Map<CacheWatcher, WatcherScope>()
  readonly #all = new Set<CacheWatcher>()
  readonly #byKey = new Map<string, Set<CacheWatcher>>()
  readonly #byField = new Map<string, Set<CacheWatcher>>()
  readonly #byNamespace = new Map<string, Set<CacheWatcher>>()

  constructor(indexedField: ((object: CachedObject) => string) | null) {
    this.#indexedField = indexedField
  }

  get size(): number {
    return this.#scopes.size
  }

  add(watcher: CacheWatcher, scope: WatcherScope): void {
    this.#scopes.set(watcher, scope)
    if (scope.by === 'all') this.#all.add(watcher)
    else {
      const group = this.#groups(scope.by)
      const watchers = group.get(scope.value)
      if (watchers === undefined) group.set(scope.value, new Set([watcher]))
      else watchers.add(watcher)
    }
  }

  delete(watcher: CacheWatcher): void {
    const scope = this.#scopes.get(watcher)
    if (scope === undefined) return
    this.#scopes.delete(watcher)
    if (scope.by === 'all') return void this.#all.delete(watcher)
    const group = this.#groups(scope.by)
    const watchers = group.get(scope.value)!
    watchers.delete(watcher)
    if (watchers.size === 0) group.delete(scope.value)
  }

  all(): Iterable<CacheWatcher> {
    return this.#scopes.keys()
  }

  /** Those that a change of this object concerns for certain; who looks at a field is not among them. */
  count(key: string, namespace: string): number {
    return this.#all.size + (this.#byKey.get(key)?.size ?? 0) + (this.#byNamespace.get(namespace)?.size ?? 0)
  }

  /** Offers the change to each watcher it may concern, once. */
  dispatch(event: CacheEvent): void {
    offerTo(this.#all, event)
    offerTo(this.#byKey.get(event.key), event)
    if (this.#byNamespace.size > 0) offerTo(this.#byNamespace.get((event.current ?? event.previous)!.namespace), event)
    if (this.#byField.size > 0) this.#dispatchByField(event)
  }

  /** An object that moves from one value to another concerns the watchers of both. */
  #dispatchByField(event: CacheEvent): void {
    const now = event.current === null ? null : this.#indexedField!(event.current)
    const before = event.previous === null ? null : this.#indexedField!(event.previous)
    if (now !== null) offerTo(this.#byField.get(now), event)
    if (before !== null && before !== now) offerTo(this.#byField.get(before), event)
  }

  #groups(by: 'key' | 'field' | 'namespace'): Map<string, Set<CacheWatcher>> {
    return by === 'key' ? this.#byKey : by === 'field' ? this.#byField : this.#byNamespace
  }
}

function offerTo(watchers: ReadonlySet<CacheWatcher> | undefined, event: CacheEvent): void {
  if (watchers === undefined) return
  for (const watcher of watchers) watcher.offer(event)
}
