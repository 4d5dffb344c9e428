/** Decides which images go when the disk is full: unused ones, longest unused first; pure. */
import type { Image } from '../runtime/runtime-service.ts'

export type ImageGcInputs = {
  readonly images: readonly Image[]
  /** References (ids, tags or digests) of all containers and of the sandbox. */
  readonly used: ReadonlySet<string>
  /** When an image was last wanted, by id; absent: not since this kubelet began. */
  readonly lastUsedMs: ReadonlyMap<string, number>
  readonly capacityBytes: number
  readonly usedBytes: number
  readonly highPercent: number
  readonly lowPercent: number
}

export function planImageGc(inputs: ImageGcInputs): Image[] {
  const { capacityBytes, usedBytes, highPercent, lowPercent, lastUsedMs } = inputs
  if (capacityBytes === 0 || (usedBytes * 100) / capacityBytes < highPercent) return []
  let toFree = usedBytes - (capacityBytes * lowPercent) / 100
  const candidates = inputs.images
    .filter((image) => !image.pinned && !isUsed(image, inputs.used))
    .toSorted((a, b) => (lastUsedMs.get(a.id) ?? 0) - (lastUsedMs.get(b.id) ?? 0))
  const doomed: Image[] = []
  for (const image of candidates) {
    if (toFree <= 0) break
    doomed.push(image)
    toFree -= image.sizeBytes
  }
  return doomed
}

const isUsed = ({ id, tags, digests }: Image, used: ReadonlySet<string>): boolean =>
  [id, ...tags, ...digests].some((name) => used.has(name))
