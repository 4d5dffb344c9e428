/** Sums over named quantities. Pure; nothing given is changed. */
import { addQuantities, compareQuantities, formatQuantity, subtractQuantities } from '#machinery/quantity.ts'

export type Amounts = Readonly<Record<string, string>>

export function addAmounts(left: Amounts, right: Amounts): Amounts {
  const sum: Record<string, string> = { ...left }
  for (const [name, amount] of Object.entries(right))
    sum[name] = sum[name] === undefined ? amount : formatQuantity(addQuantities(sum[name], amount))
  return sum
}

/** What the first has more than the second; nothing where it has less. */
export function excessOf(left: Amounts, right: Amounts): Amounts {
  const excess: Record<string, string> = {}
  for (const [name, amount] of Object.entries(left)) {
    const more = subtractQuantities(amount, right[name] ?? '0')
    if (more.nano > 0n) excess[name] = formatQuantity(more)
  }
  return excess
}

export function maxAmounts(left: Amounts, right: Amounts): Amounts {
  const larger: Record<string, string> = { ...left }
  for (const [name, amount] of Object.entries(right))
    if (larger[name] === undefined || compareQuantities(amount, larger[name]) > 0) larger[name] = amount
  return larger
}

export function isSameAmounts(left: Amounts, right: Amounts): boolean {
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => right[name] !== undefined && compareQuantities(left[name]!, right[name]) === 0)
  )
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
