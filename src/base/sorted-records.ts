/** Records in the byte order of their keys: found by key, walked and counted by range. */

export type Keyed = { readonly key: string }

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

export class SortedRecords<R extends Keyed> {
  readonly #records = new Map<string, R>()
  #chunks: R[][] = []

  get size(): number {
    return this.#records.size
  }

  get(key: string): R | undefined {
    return this.#records.get(key)
  }

  /** Adds the record, or puts it in the place of the one with the same key. */
  set(record: R): void {
    const known = this.#records.has(record.key)
    this.#records.set(record.key, record)
    if (known) return this.#replace(record)
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

  clear(): void {
    this.#records.clear()
    this.#chunks = []
  }

  /** Number of records in [start, end), without visiting them. */
  count(start: string, end: string): number {
    let count = 0
    for (let at = Math.max(0, this.#chunkFor(start)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      const whole = compareKeys(chunk.at(-1)!.key, end) < 0
      count += (whole ? chunk.length : lowerBound(chunk, end)) - lowerBound(chunk, start)
      if (!whole) break
    }
    return Math.max(0, count)
  }

  /** Visits the records of [start, end) in order until `visit` returns false. */
  walk(start: string, end: string, visit: (record: R) => boolean | void): void {
    for (let at = Math.max(0, this.#chunkFor(start)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      const whole = compareKeys(chunk.at(-1)!.key, end) < 0
      const first = compareKeys(chunk[0]!.key, start) < 0 ? lowerBound(chunk, start) : 0
      const last = whole ? chunk.length : lowerBound(chunk, end)
      for (let index = first; index < last; index++) if (visit(chunk[index]!) === false) return
      if (!whole) return
    }
  }

  #replace(record: R): void {
    const chunk = this.#chunks[this.#chunkFor(record.key)]!
    chunk[lowerBound(chunk, record.key)] = record
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
function lowerBound(chunk: readonly Keyed[], key: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(chunk[middle]!.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
