/** What the checks of the store suite share: short verbs for writes, and a recorder of watches. */
import assert from 'node:assert/strict'
import { prefixEnd, type Store, type StoreEvent } from '../store.ts'

export type Check = (title: string, body: (store: Store) => Promise<void>) => void

export type Collector = {
  readonly events: StoreEvent[]
  readonly revisions: number[]
  error: Error | null
  until(condition: () => boolean): Promise<void>
  progress(): void
  cancel(): void
}

export const bytes = (text: string): Buffer => Buffer.from(text)

/** Records all that a watch of `/a/` reports. */
export function collect(store: Store, revision: number, start = '/a/', end = prefixEnd(start)): Collector {
  let wake: (() => void) | null = null
  const notify = (): void => {
    wake?.()
    wake = null
  }
  const watch = store.watch({
    start,
    end,
    revision,
    onEvents: (events, upTo) => {
      collector.events.push(...events)
      collector.revisions.push(upTo)
      notify()
    },
    onError: (error) => {
      collector.error = error
      notify()
    },
  })
  const collector: Collector = {
    events: [],
    revisions: [],
    error: null,
    async until(condition) {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve))
    },
    progress: () => watch.requestProgress(),
    cancel: () => watch.cancel(),
  }
  return collector
}

export async function put(store: Store, key: string, value: string, expectedRevision = 0, lease = 0): Promise<number> {
  const result = await store.write(key, { expectedRevision, value: bytes(value), lease })
  assert.ok(result.ok, `put ${key} failed`)
  return result.revision
}

export async function remove(store: Store, key: string, expectedRevision: number): Promise<number> {
  const result = await store.write(key, { expectedRevision, value: null })
  assert.ok(result.ok)
  return result.revision
}

export const keysOf = (entries: readonly { readonly key: string }[]): string[] => entries.map((entry) => entry.key)
