/** All writes of a simulation in order, as one hash: equal hashes mean that two runs went the same way to the last byte. */
import { createHash } from 'node:crypto'
import { prefixEnd, type Store, type StoreEvent, type Watch } from '#control-plane/store/store.ts'

/** Everything the API server stores. */
const ROOT = '/registry/'
/** Enough of a hash to see that two values differ. */
const DIGEST_CHARS = 12

export type Write = {
  readonly atMs: number
  readonly revision: number
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly digest: string
}

export type WriteLogOptions = {
  readonly store: Store
  readonly now: () => number
  readonly onWrite: (event: StoreEvent) => void
}

export class WriteLog {
  readonly #options: WriteLogOptions
  readonly #writes: Write[] = []
  readonly #watch: Watch
  #error: Error | null = null

  constructor(options: WriteLogOptions) {
    this.#options = options
    this.#watch = options.store.watch({
      start: ROOT,
      end: prefixEnd(ROOT),
      revision: 1,
      onEvents: (events) => {
        for (const event of events) this.#add(event)
      },
      onError: (error) => {
        this.#error = error
      },
    })
  }

  /** Throws when the store's watch broke: then the log has gaps. */
  writes(): readonly Write[] {
    if (this.#error !== null) throw this.#error
    return this.#writes
  }

  hash(): string {
    const hash = createHash('sha256')
    for (const write of this.writes()) hash.update(formatWrite(write))
    return hash.digest('hex')
  }

  close(): void {
    this.#watch.cancel()
  }

  #add(event: StoreEvent): void {
    const { type, key, entry } = event
    const digest = createHash('sha256').update(entry.value).digest('hex').slice(0, DIGEST_CHARS)
    this.#writes.push({ atMs: this.#options.now(), revision: entry.modRevision, type, key, digest })
    this.#options.onWrite(event)
  }
}

export function formatWrite({ atMs, revision, type, key, digest }: Write): string {
  return `${new Date(atMs).toISOString()} ${revision} ${type} ${key} ${digest}\n`
}

/** Where two runs part, for a person to read; null when they are equal. */
export function firstDifference(a: readonly Write[], b: readonly Write[]): string | null {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]].map((write) => (write === undefined ? 'nothing\n' : formatWrite(write)))
    if (left !== right) return `write ${index}: ${left!.trim()} <> ${right!.trim()}`
  }
  return null
}
