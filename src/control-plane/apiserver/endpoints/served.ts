/** Stored objects as a version serves them: the bytes themselves, or converted when another version is stored. */
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { encodeObject } from '#machinery/schema/encode.ts'
import type { Resource } from '../registry/resource.ts'
import type { ResponseBody, ServedWatchEvent, StoredObject, WatchStream } from '../request.ts'
import type { CachedObject } from '../watch-cache/cached-object.ts'

export function servedObject(resource: Resource, stored: CachedObject): ResponseBody {
  return { form: 'stored', stored: served(resource, stored) }
}

export function served(resource: Resource, stored: CachedObject): StoredObject {
  return resource.kind.conversion === undefined ? stored : new ConvertedObject(resource, stored)
}

/** A stored object in the form of another version; made when it is looked at. */
class ConvertedObject implements StoredObject {
  readonly #resource: Resource
  readonly #stored: CachedObject
  #object: KubernetesObject | null = null
  #bytes: Buffer | null = null
  constructor(resource: Resource, stored: CachedObject) {
    this.#resource = resource
    this.#stored = stored
  }
  get key(): string {
    return this.#stored.key
  }
  get revision(): number {
    return this.#stored.revision
  }
  get bytes(): Buffer {
    return (this.#bytes ??= encodeObject(this.#resource.schema, this.object()))
  }
  object(): KubernetesObject {
    return (this.#object ??= this.#resource.fromStored(this.#stored.object()))
  }
}

/** A watch whose events are converted as they go out; bookmarks and errors have a form of their own. */
export function servedStream(resource: Resource, stream: WatchStream): WatchStream {
  if (resource.kind.conversion === undefined) return stream
  const convert = (event: ServedWatchEvent): ServedWatchEvent => {
    if (event.type === 'ERROR') return event
    const object =
      event.type === 'BOOKMARK'
        ? { ...(event.object() as KubernetesObject), apiVersion: resource.apiVersion, kind: resource.kind.kind }
        : resource.fromStored(event.object() as KubernetesObject)
    const bytes =
      event.type === 'BOOKMARK' ? Buffer.from(JSON.stringify(object)) : encodeObject(resource.schema, object)
    return { type: event.type, bytes, object: () => object }
  }
  return {
    next: async () => (await stream.next())?.map(convert) ?? null,
    close: () => stream.close(),
  }
}
