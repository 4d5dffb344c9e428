/** Drops owner references that say the same twice, with upstream's warning. */
import type { KubernetesObject } from '#machinery/meta/object.ts'

export function dedupOwners(object: KubernetesObject, warn: (text: string) => void, afterAdmission = false): void {
  const references = object.metadata.ownerReferences ?? []
  const seen = new Set<string>()
  const doubled = new Set<string>()
  const kept = references.filter((reference) => {
    const text = JSON.stringify(Object.entries(reference).toSorted())
    if (seen.has(text)) {
      doubled.add(reference.uid)
      return false
    }
    seen.add(text)
    return true
  })
  if (doubled.size === 0) return
  object.metadata.ownerReferences = kept
  const when = afterAdmission ? ' after mutating admission happens' : ''
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...doubled].join(', ')}`,
  )
}
