/** Walks all containers of a pod: init, main and ephemeral ones. */
import type { Container, EphemeralContainer, PodSpec } from '#api/core/v1.gen.ts'

/** What the three kinds of containers have in common. */
export type AnyContainer = Container | EphemeralContainer

/** Calls `visit` with each container and its path, init containers first, as upstream does. */
export function visitContainers(
  spec: PodSpec,
  path: string,
  visit: (container: AnyContainer, path: string) => void,
): void {
  spec.initContainers?.forEach((container, i) => visit(container, `${path}.initContainers[${i}]`))
  spec.containers?.forEach((container, i) => visit(container, `${path}.containers[${i}]`))
  spec.ephemeralContainers?.forEach((container, i) => visit(container, `${path}.ephemeralContainers[${i}]`))
}

/** True when a container of the pod, of any kind, fulfils the condition. */
export function someContainer(spec: PodSpec, test: (container: AnyContainer) => boolean): boolean {
  return (
    (spec.initContainers?.some(test) ?? false) ||
    (spec.containers?.some(test) ?? false) ||
    (spec.ephemeralContainers?.some(test) ?? false)
  )
}

/** An init container that runs beside the main ones and is restarted like them. */
export function isSidecar(container: Container | undefined): boolean {
  return container?.restartPolicy === 'Always'
}
