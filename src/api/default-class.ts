/** Which of the classes of a kind is the one for objects that name none. */
import type { KubernetesObject } from '#machinery/meta/object.ts'

/** Marks of the class for claims that name none. */
export const DEFAULT_STORAGE_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

/** Of several default classes the newest counts, then the first by name. */
export function findDefaultClass<T extends KubernetesObject>(
  classes: readonly T[],
  annotations: readonly string[],
): T | null {
  const defaults = classes.filter(({ metadata }) =>
    annotations.some((annotation) => metadata.annotations?.[annotation] === 'true'),
  )
  const [newest] = defaults.toSorted(
    (a, b) =>
      Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  )
  return newest ?? null
}
