/** The cluster addresses of Services in all families of the cluster, each with the IPAddress object that says who has it. */
import { isIPv6 } from 'node:net'
import type { Service } from '#api/core/v1.gen.ts'
import type { IPAddress } from '#api/networking/v1.gen.ts'
import type { RandomSource } from '#base/random.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { AddressPool } from './address-pool.ts'

export const MANAGED_BY = 'ipallocator.k8s.io'
const FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family'
const MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by'

/** Writes and removes IPAddress objects; one that is gone already is fine. */
export type AddressRecords = {
  create(address: Draft<IPAddress>): Promise<void>
  remove(name: string): Promise<void>
}

export class ServiceAddresses {
  readonly #pools: readonly AddressPool[]

  /** `ranges`: one, or one of each family; the first is the default. */
  constructor(ranges: string, random: RandomSource) {
    this.#pools = ranges.split(',').map((range) => new AddressPool(range.trim(), random))
  }

  get families(): readonly string[] {
    return this.#pools.map(({ family }) => family)
  }

  /** Of a family that the cluster has. */
  pool(family: string): AddressPool {
    return this.#pools.find((pool) => pool.family === family) ?? this.#pools[0]!
  }

  poolOf(address: string): AddressPool {
    return this.pool(familyOf(address))
  }

  /** Of each family. */
  usage(): readonly AddressPool['usage'][] {
    return this.#pools.map(({ usage }) => usage)
  }

  restore(address: string): void {
    for (const pool of this.#pools) pool.restore(address)
  }

  release(address: string): void {
    this.poolOf(address).release(address)
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
