/** Numbers of matching pods by value of a topology label, with the least of them at hand and what-ifs without a copy. */

type Entry = readonly [value: string, count: number]

export class TopologyCounts {
  readonly #counts: ReadonlyMap<string, number>
  /** The value with the fewest pods and the next one: with one value changed, the least is still among these and the changed one. */
  readonly #fewest: readonly Entry[]
  readonly #change: Entry | null

  constructor(
    counts: ReadonlyMap<string, number>,
    change: Entry | null = null,
    fewest: readonly Entry[] = fewestOf(counts),
  ) {
    this.#counts = counts
    this.#fewest = fewest
    this.#change = change
  }

  /** Number of values, also those without any matching pod. */
  get size(): number {
    return this.#counts.size
  }

  get(value: string): number {
    const count = this.#counts.get(value) ?? 0
    return this.#change?.[0] === value ? count + this.#change[1] : count
  }

  /** Infinity without any value. */
  minimum(): number {
    const changed = this.#change?.[0]
    const others = this.#fewest.filter(([value]) => value !== changed).map(([, count]) => count)
    return Math.min(...others, ...(changed === undefined ? [] : [this.get(changed)]))
  }

  /** With more (or fewer) pods at one value, always the same one. */
  plus(value: string, amount: number): TopologyCounts {
    return new TopologyCounts(this.#counts, [value, (this.#change?.[1] ?? 0) + amount], this.#fewest)
  }
}

function fewestOf(counts: ReadonlyMap<string, number>): Entry[] {
  let [first, second]: [Entry | null, Entry | null] = [null, null]
  for (const entry of counts) {
    if (first === null || entry[1] < first[1]) [first, second] = [entry, first]
    else if (second === null || entry[1] < second[1]) second = entry
  }
  return [first, second].filter((entry) => entry !== null)
}
