/** Shares out the server's seats among priority levels: in proportion to what they want, within what each may have. Pure. */

export type Claim = { readonly lowerBound: number; readonly upperBound: number; readonly target: number }

/** A level that wants nothing would make its bounds infinite. */
const TARGET_MIN = 0.001
const EPSILON = 1e-7

export type Allocation = { readonly seats: readonly number[]; readonly fairFraction: number }

/** Null when the bounds do not let the sum be reached. */
export function allocateConcurrency(sum: number, claims: readonly Claim[]): Allocation | null {
  const items = claims.map(({ lowerBound, upperBound, target }) => {
    const wanted = Math.max(target, TARGET_MIN)
    return { wanted, low: lowerBound / wanted, high: upperBound / wanted }
  })
  const total = (of: (claim: Claim) => number): number => claims.reduce((all, claim) => all + of(claim), 0)
  const [lowSum, highSum] = [total((claim) => claim.lowerBound), total((claim) => claim.upperBound)]
  if (lowSum - sum > EPSILON || sum - highSum > EPSILON) return null
  if (sum === 0) return { seats: claims.map(() => 0), fairFraction: 0 }
  if (lowSum - sum > -EPSILON)
    return { seats: claims.map((claim) => claim.lowerBound), fairFraction: Math.min(...items.map(({ low }) => low)) }
  if (sum - highSum > -EPSILON)
    return { seats: claims.map((claim) => claim.upperBound), fairFraction: Math.max(...items.map(({ high }) => high)) }
  const fairFraction = solveFraction(sum, items)
  const seats = claims.map(({ lowerBound, upperBound }, i) =>
    Math.max(lowerBound, Math.min(upperBound, fairFraction * items[i]!.wanted)),
  )
  return { seats, fairFraction }
}

type Item = { readonly wanted: number; readonly low: number; readonly high: number }

/** The fraction of its wish that every level gets unless a bound says otherwise: what is given grows with it, in straight pieces. */
function solveFraction(sum: number, items: readonly Item[]): number {
  const bends = items
    .flatMap(({ low, high, wanted }) => [
      { at: low, slope: wanted },
      { at: high, slope: -wanted },
    ])
    .toSorted((one, other) => one.at - other.at)
  let given = items.reduce((all, { low, wanted }) => all + low * wanted, 0)
  let [fraction, slope] = [0, 0]
  for (const bend of bends) {
    const next = given + (bend.at - fraction) * slope
    if (next >= sum) break
    given = next
    fraction = bend.at
    slope += bend.slope
  }
  return slope <= 0 ? fraction : fraction + (sum - given) / slope
}
