/** The cluster addresses of one range: which are taken, and which one is next. */
import type { RandomSource } from '#base/random.ts'
import { AllocationError } from '#api/core/service/allocation.ts'
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
  /** Address -> who holds it: a Service, and the IPAddress that says so. */
  readonly #holders = new Map<string, number>()

  constructor(range: string, random: RandomSource) {
    const cidr = parseCidr(range)
    if (cidr === null) throw new Error(`${range} is no range of addresses`)
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

  /** Marks an address that something stored holds; one outside the range is none of this pool's. */
  restore(address: string): void {
    if (this.#contains(address)) this.#holders.set(address, (this.#holders.get(address) ?? 0) + 1)
  }

  /** `wanted`, or any when it is empty. Throws AllocationError. */
  take(wanted: string): string {
    const address = wanted === '' ? this.#draw() : wanted
    if (wanted !== '') this.check(wanted)
    this.#holders.set(address, 1)
    return address
  }

  /** Throws AllocationError unless `wanted` could be taken. */
  check(wanted: string): void {
    if (!this.#contains(wanted))
      throw new AllocationError(
        `the provided network does not match the current range. The range of valid IPs is ${this.#range}`,
      )
    if (!this.#isFree(wanted)) throw new AllocationError('provided IP is already allocated')
  }

  /** The first address of the range, which no Service has. */
  get network(): string {
    return addressOf(this.#first, this.#cidr.bits)
  }

  /** How many addresses are taken of how many that Services can have. */
  get usage(): { readonly cidr: string; readonly taken: number; readonly size: number } {
    const reserved = this.#cidr.bits === 32 ? 2 : 1
    return { cidr: this.#range, taken: this.#holders.size, size: this.#size - reserved }
  }

  release(address: string): void {
    const left = (this.#holders.get(address) ?? 0) - 1
    if (left > 0) this.#holders.set(address, left)
    else this.#holders.delete(address)
  }

  #isFree(address: string): boolean {
    const number = addressNumber(address)
    if (number === this.#first || (this.#cidr.bits === 32 && number === this.#last)) return false
    return !this.#holders.has(address)
  }

  #contains(address: string): boolean {
    if (address === '' || address === 'None' || address.includes(':') !== (this.#cidr.bits === 128)) return false
    const number = addressNumber(address)
    return number >= this.#first && number <= this.#last
  }

  #draw(): string {
    const dynamic = this.#size - this.#staticSize
    const address = this.#drawIn(this.#staticSize, dynamic) ?? this.#drawIn(0, this.#staticSize)
    if (address === null) throw new AllocationError('range is full')
    return address
  }

  /** From a random place on, the first that is free. */
  #drawIn(from: number, length: number): string | null {
    const start = Math.floor(this.#random.next() * length)
    for (let step = 0; step < length; step++) {
      const offset = from + ((start + step) % length)
      const address = addressOf(this.#first + BigInt(offset), this.#cidr.bits)
      if (this.#isFree(address)) return address
    }
    return null
  }
}

/** Upstream's KEP-3070: a sixteenth of the range, 16 to 256 addresses. */
function staticBand(size: number): number {
  return Math.min(Math.max(16, Math.floor(size / 16)), 256, Math.floor(size / 2))
}
