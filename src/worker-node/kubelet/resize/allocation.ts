/** Resources that the node has promised to a pod: what it was admitted with, and each resize that was accepted since. */
import { isDeepStrictEqual } from 'node:util'
import type { Container, Pod, ResourceRequirements } from '#api/core/v1.gen.ts'
import { isSidecar } from '../pods/pod-facts.ts'

export type Allocation = {
  /** Of the pod as a whole. */
  readonly pod?: ResourceRequirements
  /** Promised: by name. Given: by id, for a container that starts anew is given them anew. */
  readonly containers: Readonly<Record<string, ResourceRequirements>>
}

/** Those that run on, to which a resize can come while they do. */
export function resizableContainers(pod: Pod): Container[] {
  return [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]
}

export function allocationOf(pod: Pod): Allocation {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const containers = Object.fromEntries(all.map(({ name, resources }) => [name, resources ?? {}]))
  return { ...(pod.spec.resources && { pod: pod.spec.resources }), containers }
}

/** The pod as this node runs it, which until a resize is accepted differs from what is asked for; the same object where nothing does. */
export function withAllocation(pod: Pod, allocation: Allocation | undefined): Pod {
  if (allocation === undefined || isDeepStrictEqual(plain(allocationOf(pod)), plain(allocation))) return pod
  const replace = (container: Container): Container => {
    const resources = allocation.containers[container.name]
    return resources === undefined ? container : { ...container, resources }
  }
  const { resources: _, ...spec } = pod.spec
  return {
    ...pod,
    spec: {
      ...spec,
      ...(allocation.pod && { resources: allocation.pod }),
      containers: spec.containers.map(replace),
      ...(spec.initContainers && {
        initContainers: spec.initContainers.map(replace),
      }),
    },
  }
}

/** Without the difference between absent and empty. */
function plain({ pod, containers }: Allocation): object {
  const of = (resources: ResourceRequirements = {}): object => ({
    requests: { ...resources.requests },
    limits: { ...resources.limits },
  })
  return { pod: of(pod), containers: Object.entries(containers).map(([name, resources]) => [name, of(resources)]) }
}
