/** Sums over named quantities. Pure; nothing given is changed. */
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isZeroQuantity,
  subtractQuantities,
} from '#machinery/quantity.ts'

export type Amounts = Readonly<Record<string, string>>

export function addAmounts(left: Amounts, right: Amounts): Amounts {
  const sum: Record<string, string> = { ...left }
  for (const [name, amount] of Object.entries(right))
    sum[name] = sum[name] === undefined ? amount : formatQuantity(addQuantities(sum[name], amount))
  return sum
}

/** Without what comes to nothing. */
export function subtractAmounts(left: Amounts, right: Amounts): Amounts {
  const difference: Record<string, string> = {}
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const amount = subtractQuantities(left[name] ?? '0', right[name] ?? '0')
    if (!isZeroQuantity(amount)) difference[name] = formatQuantity(amount)
  }
  return difference
}

export function maskAmounts(amounts: Amounts, names: Iterable<string>): Amounts {
  const wanted = new Set(names)
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => wanted.has(name)))
}

/** The names whose amount is larger than the bound; what has no bound never is. */
export function namesAbove(amounts: Amounts, bounds: Amounts): string[] {
  return Object.keys(amounts).filter(
    (name) => bounds[name] !== undefined && compareQuantities(amounts[name]!, bounds[name]) > 0,
  )
}

/** `a=1,b=2`, by name. */
export function formatAmounts(amounts: Amounts): string {
  return Object.keys(amounts)
    .toSorted()
    .map((name) => `${name}=${formatQuantity(amounts[name]!)}`)
    .join(',')
}
