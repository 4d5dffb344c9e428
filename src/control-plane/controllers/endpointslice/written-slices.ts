/** The slices as this controller wrote them, until the informer shows them: an old view would lead to a second, wrong write. */
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'

export class WrittenSlices {
  /** Service key -> uid of a slice -> as written; null when it was deleted. */
  readonly #slices = new Map<string, Map<string, EndpointSlice | null>>()

  add(key: string, slice: EndpointSlice): void {
    this.#entry(key).set(slice.metadata.uid, slice)
  }

  remove(key: string, slice: EndpointSlice): void {
    this.#entry(key).set(slice.metadata.uid, null)
  }

  /** True when the informer shows nothing but this controller's own write, or an older state. */
  observe(key: string, slice: EndpointSlice): boolean {
    const written = this.#slices.get(key)?.get(slice.metadata.uid)
    if (written === undefined) return false
    if (written === null) return true
    const difference = Number(slice.metadata.resourceVersion) - Number(written.metadata.resourceVersion)
    if (difference >= 0) this.#drop(key, slice.metadata.uid)
    return difference <= 0
  }

  observeDeleted(key: string, slice: EndpointSlice): void {
    this.#drop(key, slice.metadata.uid)
  }

  overlay(key: string, shown: readonly EndpointSlice[]): EndpointSlice[] {
    const written = this.#slices.get(key)
    if (written === undefined) return [...shown]
    const others = shown.filter((slice) => isNewer(slice, written.get(slice.metadata.uid)))
    const uids = new Set(others.map(({ metadata }) => metadata.uid))
    return [
      ...others,
      ...[...written.values()].filter((slice) => slice !== null && !uids.has(slice.metadata.uid)),
    ] as EndpointSlice[]
  }

  forget(key: string): void {
    this.#slices.delete(key)
  }

  #entry(key: string): Map<string, EndpointSlice | null> {
    let slices = this.#slices.get(key)
    if (slices === undefined) this.#slices.set(key, (slices = new Map()))
    return slices
  }

  #drop(key: string, uid: string): void {
    const slices = this.#slices.get(key)
    if (slices?.delete(uid) === true && slices.size === 0) this.#slices.delete(key)
  }
}

function isNewer(slice: EndpointSlice, written: EndpointSlice | null | undefined): boolean {
  if (written === undefined) return true
  return written !== null && Number(slice.metadata.resourceVersion) >= Number(written.metadata.resourceVersion)
}
