/** The node ports of Services: which are taken, and which one is next. */
import type { RandomSource } from '#base/random.ts'
import { AllocationError } from '#api/core/service/allocation.ts'
import type { NodePortRange } from '../resource-backend.ts'

export class PortPool {
  readonly #range: NodePortRange
  readonly #random: RandomSource
  /** Port -> number of Service ports that hold it: TCP and UDP may share one. */
  readonly #taken = new Map<number, number>()

  constructor(range: NodePortRange, random: RandomSource) {
    this.#range = range
    this.#random = random
  }

  restore(port: number): void {
    this.#taken.set(port, (this.#taken.get(port) ?? 0) + 1)
  }

  /** `wanted`, or any when it is 0. Throws AllocationError. */
  take(wanted: number): number {
    const port = wanted === 0 ? this.#draw() : this.#claim(wanted)
    this.#taken.set(port, 1)
    return port
  }

  /** Throws AllocationError unless `wanted` could be taken. */
  check(wanted: number): void {
    this.#claim(wanted)
  }

  get usage(): { readonly taken: number; readonly size: number } {
    const { from, to } = this.#range
    return { taken: this.#taken.size, size: to - from + 1 }
  }

  release(port: number): void {
    const left = (this.#taken.get(port) ?? 0) - 1
    if (left > 0) this.#taken.set(port, left)
    else this.#taken.delete(port)
  }

  #claim(port: number): number {
    const { from, to } = this.#range
    if (port < from || port > to)
      throw new AllocationError(`provided port is not in the valid range. The range of valid ports is ${from}-${to}`)
    if (this.#taken.has(port)) throw new AllocationError('provided port is already allocated')
    return port
  }

  #draw(): number {
    const { from, to } = this.#range
    const size = to - from + 1
    // Ports that are asked for by number are mostly low: they are drawn last.
    const reserved = size < 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128)
    const port = this.#drawIn(from + reserved, size - reserved) ?? this.#drawIn(from, reserved)
    if (port === null) throw new AllocationError('range is full')
    return port
  }

  #drawIn(from: number, length: number): number | null {
    const start = Math.floor(this.#random.next() * length)
    for (let step = 0; step < length; step++) {
      const port = from + ((start + step) % length)
      if (!this.#taken.has(port)) return port
    }
    return null
  }
}
