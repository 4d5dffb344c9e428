/** Cuts the cluster's pod range into equal ranges, one per node. */

/** An IPv4 range whose parts are given to nodes; the lowest free one goes first. */
export class CidrSet {
  readonly #baseAddress: number
  readonly #nodeMaskSize: number
  readonly #count: number
  readonly #used = new Set<number>()
  #next = 0

  constructor(clusterCidr: string, nodeMaskSize: number) {
    const { address, maskSize } = parseCidr(clusterCidr)
    if (nodeMaskSize < maskSize || nodeMaskSize > 32)
      throw new Error(`node mask size ${nodeMaskSize} does not fit into cluster range ${clusterCidr}`)
    this.#baseAddress = address
    this.#nodeMaskSize = nodeMaskSize
    this.#count = 2 ** (nodeMaskSize - maskSize)
  }

  /** Marks a range that a node has already; false when it is not part of the cluster's range. */
  occupy(cidr: string): boolean {
    const index = this.#indexOf(cidr)
    if (index === null) return false
    this.#used.add(index)
    return true
  }

  release(cidr: string): void {
    const index = this.#indexOf(cidr)
    if (index !== null) this.#used.delete(index)
  }

  /** Null when all ranges are taken. */
  allocate(): string | null {
    if (this.#used.size >= this.#count) return null
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) % this.#count
    const index = this.#next
    this.#used.add(index)
    this.#next = (index + 1) % this.#count
    return `${formatAddress(this.#baseAddress + index * 2 ** (32 - this.#nodeMaskSize))}/${this.#nodeMaskSize}`
  }

  #indexOf(cidr: string): number | null {
    const { address } = parseCidr(cidr)
    const index = Math.floor((address - this.#baseAddress) / 2 ** (32 - this.#nodeMaskSize))
    return index >= 0 && index < this.#count ? index : null
  }
}

function parseCidr(cidr: string): { address: number; maskSize: number } {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr)
  if (match === null) throw new Error(`${JSON.stringify(cidr)} is no IPv4 range`)
  const [a, b, c, d, maskSize] = match.slice(1).map(Number) as [number, number, number, number, number]
  const size = 2 ** (32 - maskSize)
  return { address: Math.floor((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / size) * size, maskSize }
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join('.')
}
