/** Cuts an Endpoints object down to the size that every consumer can take; EndpointSlices show the rest. */
import type { EndpointAddress, EndpointSubset } from '#api/core/v1.gen.ts'

export const ADDRESSES_MAX = 1000

/** Ready addresses come first; each subset keeps its share of what fits. */
export function truncateSubsets(subsets: readonly EndpointSubset[]): {
  readonly subsets: EndpointSubset[]
  readonly isTruncated: boolean
} {
  const ready = count(subsets, 'addresses')
  const notReady = count(subsets, 'notReadyAddresses')
  if (ready + notReady <= ADDRESSES_MAX) return { subsets: [...subsets], isTruncated: false }
  const cutsReady = ready > ADDRESSES_MAX
  const field = cutsReady ? 'addresses' : 'notReadyAddresses'
  const room = cutsReady ? ADDRESSES_MAX : ADDRESSES_MAX - ready
  let left = room
  const cut = subsets.map((subset) => {
    const all = subset[field] ?? []
    const share = Math.min(left, Math.ceil((all.length / (cutsReady ? ready : notReady)) * room))
    const kept = all.slice(0, share)
    left -= kept.length
    return withAddresses(cutsReady ? { ...subset, notReadyAddresses: [] } : subset, field, kept)
  })
  return { subsets: cut, isTruncated: true }
}

type Field = 'addresses' | 'notReadyAddresses'

const count = (subsets: readonly EndpointSubset[], field: Field): number =>
  subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0)

function withAddresses(subset: EndpointSubset, field: Field, kept: EndpointAddress[]): EndpointSubset {
  const result = { ...subset, [field]: kept }
  if (result.addresses?.length === 0) delete result.addresses
  if (result.notReadyAddresses?.length === 0) delete result.notReadyAddresses
  return result
}
