/** Reads what was remembered of pods' resources from the text of its file, which may be damaged: pure. */
import type { ResourceRequirements } from '#api/core/v1.gen.ts'
import { quantityNumber } from '../quantities.ts'
import type { Allocation } from './allocation.ts'

/** Pods of which something is damaged are only named. Throws for a text that is no JSON, or no object. */
export function parseAllocations(text: string): {
  readonly allocations: Map<string, Allocation>
  readonly damaged: readonly string[]
} {
  const content: unknown = JSON.parse(text)
  if (!isObject(content)) throw new Error('not an object')
  const entries = Object.entries(content)
  return {
    allocations: new Map(entries.filter((entry): entry is [string, Allocation] => isAllocation(entry[1]))),
    damaged: entries.filter(([, value]) => !isAllocation(value)).map(([podUid]) => podUid),
  }
}

function isAllocation(value: unknown): value is Allocation {
  if (!isObject(value)) return false
  const { pod, containers } = value
  return (pod === undefined || isResources(pod)) && isObject(containers) && Object.values(containers).every(isResources)
}

function isResources(value: unknown): value is ResourceRequirements {
  return isObject(value) && isAmounts(value['requests']) && isAmounts(value['limits'])
}

const isAmounts = (value: unknown): boolean =>
  value === undefined || (isObject(value) && Object.values(value).every(isQuantity))

function isQuantity(value: unknown): boolean {
  try {
    return typeof value === 'string' && Number.isFinite(quantityNumber(value))
  } catch {
    return false // It says so of any other text.
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
