/** The hash in names of ReplicaSets and labels of pods: stable for a pod template, short, without words. */
import type { PodTemplateSpec } from '#api/core/v1.gen.ts'

export const HASH_LABEL = 'pod-template-hash'
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** 32-bit FNV-1a of the template's canonical JSON and the number of collisions so far, in upstream's safe letters. */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(`${canonicalJson(template)}${collisionCount ?? ''}`)) {
    hash ^= byte
    hash = Math.imul(hash, 0x01000193)
  }
  return [...String(hash >>> 0)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

/** Keys in order, so that the same content is the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    .join(',')}}`
}

/** The template without the label that the controller itself adds. */
export function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {}
  return { ...template, metadata: { ...template?.metadata, labels } }
}

export function isSameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return canonicalJson(withoutHash(a)) === canonicalJson(withoutHash(b))
}
