/** The cluster addresses of Services in all ranges of the cluster, each with the IPAddress object that says who has it. */
import { isIPv6 } from 'node:net'
import type { Service } from '#api/core/v1.gen.ts'
import type { IPAddress, ServiceCIDR } from '#api/networking/v1.gen.ts'
import { AllocationError } from '#api/core/service/allocation.ts'
import type { RandomSource } from '#base/random.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { AddressPool } from './address-pool.ts'
import { rangesOf } from './service-ranges.ts'

const ALREADY_ALLOCATED = 'provided IP is already allocated'
const RANGE_IS_FULL = 'range is full'
export const MANAGED_BY = 'ipallocator.k8s.io'
const FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family'
const MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by'

/** Writes and removes IPAddress objects; one that is gone already is fine. */
export type AddressRecords = {
  create(address: Draft<IPAddress>): Promise<void>
  remove(name: string): Promise<void>
}

export class ServiceAddresses {
  /** `IPv4`, `IPv6` or both, as the server was told to have them; the first is the default. */
  readonly families: readonly string[]
  readonly #random: RandomSource
  readonly #pools = new Map<string, AddressPool>()
  /** Address -> how many hold it: a Service, and the IPAddress that says so. */
  readonly #holders = new Map<string, number>()
  #hasSeenServiceCidr = false

  /** `ranges`: one, or one of each family; they count until there is the first ServiceCIDR. */
  constructor(ranges: string, random: RandomSource) {
    this.#random = random
    this.#useRanges(new Map(ranges.split(',').map((range) => [range.trim(), true])))
    this.families = [...this.#pools.values()].map(({ family }) => family)
  }

  /** Takes addresses from the ranges of these ServiceCIDRs from now on, all that there are. */
  follow(serviceCidrs: readonly ServiceCIDR[]): void {
    if (serviceCidrs.length === 0 && !this.#hasSeenServiceCidr) return
    this.#hasSeenServiceCidr = true
    this.#useRanges(rangesOf(serviceCidrs))
  }

  /** `wanted`, or any of the family when it is empty. Throws AllocationError. */
  take(family: string, wanted: string): string {
    const address = wanted === '' ? this.#draw(family) : wanted
    if (wanted !== '') {
      this.check(wanted)
      if (this.#holders.has(wanted)) throw new AllocationError(ALREADY_ALLOCATED)
    }
    this.restore(address)
    return address
  }

  /** Throws AllocationError when no range that gives addresses has `wanted`. */
  check(wanted: string): void {
    const isGiven = [...this.#pools.values()].some((pool) => pool.isReady && pool.contains(wanted))
    if (!isGiven) throw new AllocationError('the provided network does not match the current range')
  }

  /** What a rehearsal shows: the first address of any range of the family, which no Service has. */
  networkOf(family: string): string {
    const pool = this.#readyPools(family)[0]
    if (pool === undefined) throw new AllocationError(RANGE_IS_FULL)
    return pool.network
  }

  /** Of each range. */
  usage(): readonly AddressPool['usage'][] {
    return [...this.#pools.values()].map(({ usage }) => usage)
  }

  /** Marks an address that something stored holds. */
  restore(address: string): void {
    const before = this.#holders.get(address) ?? 0
    this.#holders.set(address, before + 1)
    if (before === 0) this.#count(address, 1)
  }

  release(address: string): void {
    const held = this.#holders.get(address) ?? 0
    if (held > 1) this.#holders.set(address, held - 1)
    else if (this.#holders.delete(address)) this.#count(address, -1)
  }

  #draw(family: string): string {
    const pools = this.#readyPools(family)
    // From any of them, so that none is full long before the others; the next when it is.
    const start = pools.length < 2 ? 0 : Math.floor(this.#random.next() * pools.length)
    for (const [i] of pools.entries()) {
      const address = pools[(start + i) % pools.length]!.draw()
      if (address !== null) return address
    }
    throw new AllocationError(RANGE_IS_FULL)
  }

  #readyPools(family: string): AddressPool[] {
    return [...this.#pools.values()].filter((pool) => pool.isReady && pool.family === family)
  }

  #count(address: string, change: 1 | -1): void {
    for (const pool of this.#pools.values()) pool.count(address, change)
  }

  #useRanges(ranges: ReadonlyMap<string, boolean>): void {
    for (const range of this.#pools.keys()) if (!ranges.has(range)) this.#pools.delete(range)
    for (const [range, isReady] of ranges) (this.#pools.get(range) ?? this.#addPool(range)).isReady = isReady
  }

  #addPool(range: string): AddressPool {
    const pool = new AddressPool(range, this.#random, (address) => this.#holders.has(address))
    for (const address of this.#holders.keys()) pool.count(address, 1)
    this.#pools.set(range, pool)
    return pool
  }
}

const familyOf = (address: string): string => (isIPv6(address) ? 'IPv6' : 'IPv4')

export function recordOf(address: string, { metadata }: Pick<Service, 'metadata'>): Draft<IPAddress> {
  return {
    metadata: {
      name: address,
      labels: { [FAMILY_LABEL]: familyOf(address), [MANAGED_BY_LABEL]: MANAGED_BY },
    },
    spec: {
      parentRef: { group: '', resource: 'services', namespace: metadata.namespace ?? '', name: metadata.name },
    },
  }
}

export const isManaged = ({ metadata }: Pick<IPAddress, 'metadata'>): boolean =>
  metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY

export const hasRightLabels = (address: Pick<IPAddress, 'metadata'>): boolean =>
  isManaged(address) && address.metadata.labels?.[FAMILY_LABEL] === familyOf(address.metadata.name)
