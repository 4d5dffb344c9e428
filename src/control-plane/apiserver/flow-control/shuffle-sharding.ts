/** Deals each flow its few queues out of all: two flows rarely share all of theirs, so that one cannot crowd out the other. Pure. */
import { createHash } from 'node:crypto'

/** A number that is always the same for the flow (upstream's, so that its dumps can be compared). */
export function hashFlow(schemaName: string, distinguisher: string): bigint {
  return createHash('sha256').update(`${schemaName}\0${distinguisher}`).digest().readBigUInt64LE(0)
}

/** Different cards out of `0…deckSize-1`. */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const remainders: number[] = []
  const hand: number[] = []
  let rest = hash
  for (let i = 0; i < handSize; i++) {
    const size = BigInt(deckSize - i)
    remainders.push(Number(rest % size))
    rest /= size
  }
  for (let i = 0; i < handSize; i++) {
    let card = remainders[i]!
    for (let j = i; j > 0; j--) if (card >= remainders[j - 1]!) card++
    hand.push(card)
  }
  return hand
}
