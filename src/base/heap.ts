/** A binary heap with keys: the smallest item is found at once, and any item can be replaced or removed by its key. */
export class KeyedHeap<T> {
  readonly #items: T[] = []
  readonly #positions = new Map<string, number>()
  readonly #keyOf: (item: T) => string
  readonly #isLess: (a: T, b: T) => boolean

  constructor(keyOf: (item: T) => string, isLess: (a: T, b: T) => boolean) {
    this.#keyOf = keyOf
    this.#isLess = isLess
  }

  get size(): number {
    return this.#items.length
  }

  get(key: string): T | undefined {
    const position = this.#positions.get(key)
    return position === undefined ? undefined : this.#items[position]
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  /** Adds the item, or takes the place of the one with the same key. */
  set(item: T): void {
    const key = this.#keyOf(item)
    const position = this.#positions.get(key) ?? this.#items.length
    this.#place(item, position)
    this.#sink(this.#rise(position))
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.delete(this.#keyOf(first))
    return first
  }

  delete(key: string): T | undefined {
    const position = this.#positions.get(key)
    if (position === undefined) return undefined
    const removed = this.#items[position]!
    const last = this.#items.pop()!
    this.#positions.delete(key)
    if (position < this.#items.length) {
      this.#place(last, position)
      this.#sink(this.#rise(position))
    }
    return removed
  }

  values(): readonly T[] {
    return this.#items
  }

  #place(item: T, position: number): void {
    this.#items[position] = item
    this.#positions.set(this.#keyOf(item), position)
  }

  #rise(start: number): number {
    let position = start
    while (position > 0) {
      const parent = (position - 1) >> 1
      if (!this.#isLess(this.#items[position]!, this.#items[parent]!)) break
      this.#swap(position, parent)
      position = parent
    }
    return position
  }

  #sink(start: number): void {
    let position = start
    for (;;) {
      const left = 2 * position + 1
      let least = position
      for (const child of [left, left + 1])
        if (child < this.#items.length && this.#isLess(this.#items[child]!, this.#items[least]!)) least = child
      if (least === position) return
      this.#swap(position, least)
      position = least
    }
  }

  #swap(a: number, b: number): void {
    const [itemA, itemB] = [this.#items[a]!, this.#items[b]!]
    this.#place(itemB, a)
    this.#place(itemA, b)
  }
}
