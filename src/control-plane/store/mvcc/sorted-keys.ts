/** The keys of the cluster database in byte order, with what is known of each: the skeleton of every range read. */
import type { Version } from './version.ts'

/** A key with its readable versions, oldest first; never empty. */
export type KeyRecord = {
  readonly key: string
  readonly versions: Version[]
}

/** Keys per chunk: small enough that an insert moves little memory, large enough that there are few chunks. */
const CHUNK_KEYS_MAX = 512

/** Orders as the UTF-8 bytes of the keys do: by code point, which differs from UTF-16 order above U+FFFF. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const leftUnit = left.charCodeAt(index)
    const rightUnit = right.charCodeAt(index)
    if (leftUnit !== rightUnit) return orderOf(leftUnit) - orderOf(rightUnit)
  }
  return left.length - right.length
}

/** Moves surrogates (halves of code points above U+FFFF) behind all other code units. */
function orderOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

export class SortedKeys {
  readonly #records = new Map<string, KeyRecord>()
  #chunks: KeyRecord[][] = []

  get size(): number {
    return this.#records.size
  }

  get(key: string): KeyRecord | undefined {
    return this.#records.get(key)
  }

  add(record: KeyRecord): void {
    this.#records.set(record.key, record)
    if (this.#chunks.length === 0) return void this.#chunks.push([record])
    const at = Math.max(0, this.#chunkFor(record.key))
    const chunk = this.#chunks[at]!
    chunk.splice(lowerBound(chunk, record.key), 0, record)
    if (chunk.length > CHUNK_KEYS_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_KEYS_MAX / 2))
  }

  delete(key: string): void {
    if (!this.#records.delete(key)) return
    const at = this.#chunkFor(key)
    const chunk = this.#chunks[at]!
    chunk.splice(lowerBound(chunk, key), 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** Visits the records of [start, end) in order until `visit` returns false. */
  walk(start: string, end: string, visit: (record: KeyRecord) => boolean | void): void {
    for (let at = Math.max(0, this.#chunkFor(start)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      const whole = compareKeys(chunk.at(-1)!.key, end) < 0
      const first = compareKeys(chunk[0]!.key, start) < 0 ? lowerBound(chunk, start) : 0
      const last = whole ? chunk.length : lowerBound(chunk, end)
      for (let index = first; index < last; index++) if (visit(chunk[index]!) === false) return
      if (!whole) return
    }
  }

  /** The last chunk whose first key is not above `key`; -1 when there is none. */
  #chunkFor(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.#chunks[middle]![0]!.key, key) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** The first position in `chunk` whose key is not below `key`. */
function lowerBound(chunk: readonly KeyRecord[], key: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(chunk[middle]!.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
