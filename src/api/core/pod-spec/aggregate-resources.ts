/** What the containers of a pod ask for together. */
import type { Container, PodSpec, ResourceRequirements } from '#api/core/v1.gen.ts'
import { addQuantities, compareQuantities, formatQuantity } from '#machinery/quantity.ts'
import { isSidecar } from './containers-of.ts'

export type Amounts = Record<string, string>

/**
 * Main containers and sidecars run together; each other init container runs with the sidecars started before it. The
 * pod needs the larger of both.
 */
export function aggregateResources(spec: PodSpec, part: 'requests' | 'limits'): Amounts {
  const amountsOf = ({ resources }: Container): Amounts => amountsIn(resources, part)
  const total: Amounts = {}
  for (const container of spec.containers ?? []) addAmounts(total, amountsOf(container))
  const sidecars: Amounts = {}
  const peak: Amounts = {}
  for (const container of spec.initContainers ?? []) {
    const amounts = amountsOf(container)
    if (isSidecar(container)) {
      addAmounts(total, amounts)
      addAmounts(sidecars, amounts)
      maxAmounts(peak, sidecars)
    } else {
      const together = { ...amounts }
      addAmounts(together, sidecars)
      maxAmounts(peak, together)
    }
  }
  maxAmounts(total, peak)
  return total
}

function amountsIn(resources: ResourceRequirements | undefined, part: 'requests' | 'limits'): Amounts {
  return resources?.[part] ?? {}
}

function addAmounts(total: Amounts, more: Amounts): void {
  for (const name in more) {
    const before = total[name]
    total[name] = before === undefined ? more[name]! : formatQuantity(addQuantities(before, more[name]!))
  }
}

function maxAmounts(total: Amounts, other: Amounts): void {
  for (const name in other) {
    const before = total[name]
    if (before === undefined || compareQuantities(other[name]!, before) > 0) total[name] = other[name]!
  }
}
