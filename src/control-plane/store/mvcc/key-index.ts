/** All keys with their versions in memory, values apart: decides what a read at a revision sees and what compaction may forget. */
import { SortedRecords } from '#base/sorted-records.ts'
import { versionAt, type Version } from './version.ts'

/** A key with its readable versions, oldest first; never empty. */
type KeyRecord = { readonly key: string; readonly versions: Version[] }

/** A version that no read needs once everything before `revision` is compacted. */
type Superseded = { readonly revision: number; readonly record: KeyRecord }

export class KeyIndex {
  readonly #keys = new SortedRecords<KeyRecord>()
  /** In order of revision; the ones before `#supersededHead` are done. */
  #superseded: Superseded[] = []
  #supersededHead = 0

  /** The newest version of `key`, deletions included. */
  newest(key: string): Version | null {
    return this.#keys.get(key)?.versions.at(-1) ?? null
  }

  at(key: string, revision: number): Version | null {
    const record = this.#keys.get(key)
    return record === undefined ? null : versionAt(record.versions, revision)
  }

  /** Versions must come in order of revision. Returns the version that was the newest before. */
  append(key: string, version: Version): Version | null {
    const record = this.#keys.get(key)
    if (record === undefined) {
      const added = { key, versions: [version] }
      this.#keys.set(added)
      if (version.deleted) this.#superseded.push({ revision: version.modRevision, record: added })
      return null
    }
    const previous = record.versions.at(-1)!
    record.versions.push(version)
    this.#superseded.push({ revision: version.modRevision, record })
    return previous
  }

  /** Visits the keys that are bound to a lease now. */
  eachLeased(visit: (key: string, lease: number) => void): void {
    this.#keys.walk('', '\u{10ffff}', ({ key, versions }) => {
      const newest = versions.at(-1)!
      if (newest.lease !== 0) visit(key, newest.lease)
    })
  }

  /** The keys of [start, end) as of `revision`, at most `limit` of them (0: all), and how many there are in all. */
  range(options: { start: string; end: string; revision: number; limit: number; countOnly: boolean }): {
    found: { key: string; version: Version }[]
    count: number
  } {
    const found: { key: string; version: Version }[] = []
    const limit = options.countOnly ? -1 : options.limit === 0 ? Infinity : options.limit
    let count = 0
    this.#keys.walk(options.start, options.end, ({ key, versions }) => {
      const version = versionAt(versions, options.revision)
      if (version === null) return
      if (count++ < limit) found.push({ key, version })
    })
    return { found, count }
  }

  /** Forgets at most `max` versions that no read at `revision` or later sees; returns their revisions, empty when done. */
  compactSome(revision: number, max: number): number[] {
    const forgotten: number[] = []
    while (this.#supersededHead < this.#superseded.length && forgotten.length < max) {
      const { revision: by, record } = this.#superseded[this.#supersededHead]!
      // A watch may start at `revision` itself: that event stays whole, with what stood before it.
      if (by >= revision) break
      this.#supersededHead++
      this.#forgetUntil(record, by, forgotten)
    }
    if (this.#supersededHead * 2 > this.#superseded.length) {
      this.#superseded.splice(0, this.#supersededHead)
      this.#supersededHead = 0
    }
    return forgotten
  }

  /** Drops what stands before the version of revision `by`, and that one too when it is a deletion. */
  #forgetUntil(record: KeyRecord, by: number, forgotten: number[]): void {
    const { versions } = record
    while (versions.length > 0 && versions[0]!.modRevision < by) forgotten.push(versions.shift()!.modRevision)
    if (versions[0]?.modRevision === by && versions[0].deleted) forgotten.push(versions.shift()!.modRevision)
    if (versions.length === 0) this.#keys.delete(record.key)
  }
}
