/** Warns of fractions of bytes. */
import { parseQuantity } from '#machinery/quantity.ts'

const NANO = 1_000_000_000n

export function fractionWarnings(amounts: Record<string, string> | undefined, path: string): string[] {
  return ['memory', 'ephemeral-storage'].flatMap((name) => fractionWarning(amounts?.[name], `${path}[${name}]`))
}

export function fractionWarning(amount: string | undefined, path: string): string[] {
  if (amount === undefined || parseQuantity(amount).nano % NANO === 0n) return []
  return [`${path}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`]
}
