/** Randomness as everything in the cluster sees it: injected, so that one seed replays a whole simulation. */
import { randomBytes } from 'node:crypto'

export interface RandomSource {
  /** A number in [0, 1). */
  next(): number
  bytes(length: number): Uint8Array
}

export class SystemRandom implements RandomSource {
  next(): number {
    return Math.random()
  }
  bytes(length: number): Uint8Array {
    return randomBytes(length)
  }
}

/** A reproducible source (splitmix32): the same seed gives the same sequence on every machine. */
export class SeededRandom implements RandomSource {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  next(): number {
    return this.#nextUint32() / 0x1_0000_0000
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#nextUint32() & 0xff)
  }
  #nextUint32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

/** A version 4 UUID, as `metadata.uid` holds it. */
export function randomUuid(random: RandomSource): string {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Letters and digits of generated names: no vowels, so that no words appear (upstream's `rand.String`). */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** The random ending that `generateName` and ReplicaSet pods get. */
export function randomNameSuffix(random: RandomSource, length = 5): string {
  let suffix = ''
  for (let index = 0; index < length; index++) suffix += NAME_ALPHABET[Math.floor(random.next() * NAME_ALPHABET.length)]
  return suffix
}
