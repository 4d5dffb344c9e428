/** A change in the watch cache, and the events that watchers are served for it: each made once, shared by all. */
import type { ServedWatchEvent, WatchEventType } from '../request.ts'
import type { CachedObject } from './cached-object.ts'

export type Matches = (object: CachedObject) => boolean

/** An event whose object is in the cache. */
export class ObjectEvent implements ServedWatchEvent {
  readonly type: WatchEventType
  readonly #object: CachedObject
  constructor(type: WatchEventType, object: CachedObject) {
    this.type = type
    this.#object = object
  }
  get bytes(): Buffer {
    return this.#object.bytes
  }
  object(): unknown {
    return this.#object.object()
  }
}

/** An event about the watch itself: a bookmark, or the error that ends it. */
export function plainEvent(type: 'BOOKMARK' | 'ERROR', object: object): ServedWatchEvent {
  const bytes = Buffer.from(JSON.stringify(object))
  return { type, bytes, object: () => object }
}

export class CacheEvent {
  readonly key: string
  readonly revision: number
  /** Null: deleted. */
  readonly current: CachedObject | null
  /** Null: created. */
  readonly previous: CachedObject | null
  #added: ServedWatchEvent | null = null
  #modified: ServedWatchEvent | null = null
  #deleted: ServedWatchEvent | null = null

  constructor(options: { key: string; revision: number; current: CachedObject | null; previous: CachedObject | null }) {
    this.key = options.key
    this.revision = options.revision
    this.current = options.current
    this.previous = options.previous
  }

  /** Bytes that only this event keeps in memory. */
  get heldBytes(): number {
    return this.previous?.bytes.length ?? 0
  }

  /**
   * What a watcher with this filter sees: an object that starts to match appears, one that ceases to match is gone. Null when it
   * sees nothing.
   */
  seenBy(matches: Matches): ServedWatchEvent | null {
    const now = this.current !== null && matches(this.current)
    const before = this.previous !== null && matches(this.previous)
    if (now) return before ? this.#asModified(this.current!) : this.#asAdded(this.current!)
    return before ? this.#asDeleted(this.previous!) : null
  }

  #asAdded(object: CachedObject): ServedWatchEvent {
    this.#added ??= new ObjectEvent('ADDED', object)
    return this.#added
  }

  #asModified(object: CachedObject): ServedWatchEvent {
    this.#modified ??= new ObjectEvent('MODIFIED', object)
    return this.#modified
  }

  /** The last state that matched, with the revision of this event. */
  #asDeleted(object: CachedObject): ServedWatchEvent {
    this.#deleted ??= new ObjectEvent('DELETED', object.deletedAt(this.revision))
    return this.#deleted
  }
}
