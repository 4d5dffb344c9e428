/** Rounds amounts of resources to what Kubernetes stores: thousandths, rounded up. */
import type { ResourceRequirements } from '#api/core/v1.gen.ts'
import { formatQuantity, parseQuantity } from '#machinery/quantity.ts'

/** Billionths in a thousandth. */
const NANO_PER_MILLI = 1_000_000n

/** Only fractions and the suffixes n and u can be finer than thousandths. */
const MAY_BE_FINE = /[.nu]|[eE]-/

export function roundAmounts(amounts: Record<string, string> | undefined): void {
  for (const name in amounts) {
    const amount = amounts[name]!
    if (!MAY_BE_FINE.test(amount)) continue
    const { nano, format } = parseQuantity(amount)
    const rest = nano % NANO_PER_MILLI
    if (rest === 0n) continue
    const towardsZero = nano - rest
    // Away from nought, for negative amounts as well.
    const rounded = nano > 0n ? towardsZero + NANO_PER_MILLI : towardsZero - NANO_PER_MILLI
    amounts[name] = formatQuantity({ nano: rounded, format })
  }
}

export function roundRequirements(resources: ResourceRequirements | undefined): void {
  roundAmounts(resources?.limits)
  roundAmounts(resources?.requests)
}
