/** The cluster addresses of one range: which belong to it, how many are taken, and which one is next. */
import { isIP } from 'node:net'
import type { RandomSource } from '#base/random.ts'
import { addressNumber, addressOf, parseCidr, type Cidr } from '#api/cidr.ts'

/** Ranges of IPv6 are larger than anybody can use up: addresses are drawn out of their first part. */
const DRAWN_MAX = 2 ** 32

export class AddressPool {
  readonly #range: string
  readonly #cidr: Cidr
  readonly #first: bigint
  readonly #last: bigint
  /** Addresses that are drawn from; the first and, of IPv4, the last of a range are no Service's. */
  readonly #size: number
  /** Addresses below are for those that ask for one by name: they are drawn only when the others are all taken. */
  readonly #staticSize: number
  readonly #random: RandomSource
  readonly #isHeld: (address: string) => boolean
  #taken = 0
  /** Addresses are drawn: the ServiceCIDR is ready, and nobody is deleting it. */
  isReady = true

  /** `isHeld`: ranges may overlap, who holds an address is known for all of them together. */
  constructor(range: string, random: RandomSource, isHeld: (address: string) => boolean) {
    const cidr = parseCidr(range)
    if (cidr === null) throw new Error(`${range} is no range of addresses`)
    this.#isHeld = isHeld
    const hostBits = BigInt(cidr.bits - cidr.prefix)
    this.#range = range
    this.#cidr = cidr
    this.#first = (cidr.address >> hostBits) << hostBits
    this.#last = this.#first + (1n << hostBits) - 1n
    this.#size = Number(hostBits > 32n ? BigInt(DRAWN_MAX) : 1n << hostBits)
    this.#staticSize = staticBand(this.#size)
    this.#random = random
  }

  get family(): 'IPv4' | 'IPv6' {
    return this.#cidr.bits === 32 ? 'IPv4' : 'IPv6'
  }

  /** The first address of the range, which no Service has. */
  get network(): string {
    return addressOf(this.#first, this.#cidr.bits)
  }

  /** How many addresses are taken of how many that Services can have. */
  get usage(): { readonly cidr: string; readonly taken: number; readonly size: number } {
    const reserved = this.#cidr.bits === 32 ? 2 : 1
    return { cidr: this.#range, taken: this.#taken, size: this.#size - reserved }
  }

  /** An address is held from now on, or by nobody any more. */
  count(address: string, change: 1 | -1): void {
    if (this.contains(address)) this.#taken += change
  }

  /** The network's own address and, of IPv4, the broadcast address belong to no range. */
  contains(address: string): boolean {
    if (isIP(address) !== (this.#cidr.bits === 128 ? 6 : 4)) return false
    const number = addressNumber(address)
    return number > this.#first && (number < this.#last || (number === this.#last && this.#cidr.bits === 128))
  }

  /** Any address that nobody holds; null when there is none. */
  draw(): string | null {
    const dynamic = this.#size - this.#staticSize
    return this.#drawIn(this.#staticSize, dynamic) ?? this.#drawIn(0, this.#staticSize)
  }

  /** From a random place on, the first that is free. */
  #drawIn(from: number, length: number): string | null {
    const start = Math.floor(this.#random.next() * length)
    for (let step = 0; step < length; step++) {
      const offset = from + ((start + step) % length)
      const address = addressOf(this.#first + 1n + BigInt(offset), this.#cidr.bits)
      if (this.contains(address) && !this.#isHeld(address)) return address
    }
    return null
  }
}

/** Upstream's KEP-3070: a sixteenth of the range, 16 to 256 addresses; none of a small one. */
function staticBand(size: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256)
}
