/** The cluster addresses of Services: which are taken, and which one is next. */
import type { RandomSource } from '#base/random.ts'
import { AllocationError } from '#api/core/service/allocation.ts'
import { addressNumber, parseCidr } from '#api/cidr.ts'

export class AddressPool {
  readonly #range: string
  readonly #first: number
  readonly #size: number
  /** Addresses below are for those that ask for one by name: they are drawn only when the others are all taken. */
  readonly #staticSize: number
  readonly #random: RandomSource
  /** Offsets from the first address. */
  readonly #taken = new Set<number>()

  constructor(range: string, random: RandomSource) {
    const cidr = parseCidr(range)
    if (cidr === null || range.includes(':')) throw new Error(`${range} is no IPv4 range`)
    const bits = Number(range.split('/')[1])
    this.#range = range
    this.#first = Number(addressNumber(range.split('/')[0]!))
    this.#size = 2 ** (32 - bits)
    this.#staticSize = staticBand(this.#size)
    this.#random = random
    // The network's and the broadcast address are no hosts'.
    this.#taken.add(0).add(this.#size - 1)
  }

  /** Marks an address that a stored Service has; one outside the range is none of this pool's. */
  restore(address: string): void {
    const offset = this.#offsetOf(address)
    if (offset !== null) this.#taken.add(offset)
  }

  /** `wanted`, or any when it is empty. Throws AllocationError. */
  take(wanted: string): string {
    const offset = wanted === '' ? this.#draw() : this.#claim(wanted)
    this.#taken.add(offset)
    return this.#addressAt(offset)
  }

  /** Throws AllocationError unless `wanted` could be taken. */
  check(wanted: string): void {
    this.#claim(wanted)
  }

  /** The first address of the range, which no Service has. */
  get network(): string {
    return this.#addressAt(0)
  }

  /** How many addresses are taken of how many that Services can have. */
  get usage(): { readonly taken: number; readonly size: number } {
    const reserved = 2
    return { taken: this.#taken.size - reserved, size: this.#size - reserved }
  }

  release(address: string): void {
    const offset = this.#offsetOf(address)
    if (offset !== null) this.#taken.delete(offset)
  }

  #claim(address: string): number {
    const offset = this.#offsetOf(address)
    if (offset === null)
      throw new AllocationError(
        `the provided network does not match the current range. The range of valid IPs is ${this.#range}`,
      )
    if (this.#taken.has(offset)) throw new AllocationError('provided IP is already allocated')
    return offset
  }

  #draw(): number {
    const dynamic = this.#size - this.#staticSize
    const offset = this.#drawIn(this.#staticSize, dynamic) ?? this.#drawIn(0, this.#staticSize)
    if (offset === null) throw new AllocationError('range is full')
    return offset
  }

  /** From a random place on, the first that is free. */
  #drawIn(from: number, length: number): number | null {
    const start = Math.floor(this.#random.next() * length)
    for (let step = 0; step < length; step++) {
      const offset = from + ((start + step) % length)
      if (!this.#taken.has(offset)) return offset
    }
    return null
  }

  #offsetOf(address: string): number | null {
    if (address.includes(':') || address === 'None' || address === '') return null
    const offset = Number(addressNumber(address)) - this.#first
    return offset >= 0 && offset < this.#size ? offset : null
  }

  #addressAt(offset: number): string {
    const value = this.#first + offset
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
  }
}

/** Upstream's KEP-3070: a sixteenth of the range, 16 to 256 addresses. */
function staticBand(size: number): number {
  return Math.min(Math.max(16, Math.floor(size / 16)), 256, Math.floor(size / 2))
}
