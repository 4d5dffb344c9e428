/** The 64-bit FNV-1a hash by which objects are shared out, in two halves: a whole number of that size would be slow. */

/** Halves of 32 bits; `high` reaches 2^32 for the exclusive end of all hashes. */
export type Hash = { readonly high: number; readonly low: number }

const OFFSET: Hash = { high: 0xcbf29ce4, low: 0x84222325 }
/** The prime is 2^40 + this. */
const PRIME_LOW = 0x1b3
const HALF = 0x1_00_00_00_00

export function hashOf(value: string): Hash {
  let { high, low } = OFFSET
  for (const byte of Buffer.from(value)) {
    low = (low ^ byte) >>> 0
    const product = low * PRIME_LOW
    // 2^40 times the low half lands in the high half, 8 bits up.
    high = (high * PRIME_LOW + Math.floor(product / HALF) + ((low << 8) >>> 0)) % HALF
    low = product % HALF
  }
  return { high, low }
}

export const isBelow = (a: Hash, b: Hash): boolean => a.high < b.high || (a.high === b.high && a.low < b.low)
