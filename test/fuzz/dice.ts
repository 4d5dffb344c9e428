/** Choices from one seeded source: everything the generators of requests decide by chance. */
import type { RandomSource } from '#base/random.ts'

export class Dice {
  readonly #random: RandomSource
  constructor(random: RandomSource) {
    this.#random = random
  }

  /** A whole number from 0 up to, but not, `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }

  chance(share: number): boolean {
    return this.#random.next() < share
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  /** One of the keys, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries<number>(weights)
    let left = this.#random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [key, weight] of entries) {
      left -= weight
      if (left < 0) return key as T
    }
    return entries.at(-1)![0] as T
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.#random.bytes(length))
  }
}
