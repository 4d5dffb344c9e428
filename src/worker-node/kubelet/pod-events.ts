/** Names pods and their containers in events. */
import type { Container, Pod } from '#api/core/v1.gen.ts'
import type { EventRecorder, ObjectReference } from '#client/event-recorder.ts'
import { findContainer } from './pods/pod-facts.ts'

const FIELDS = {
  init: 'spec.initContainers',
  sidecar: 'spec.initContainers',
  regular: 'spec.containers',
  ephemeral: 'spec.ephemeralContainers',
} as const

export function podReference(pod: Pod, container?: Pick<Container, 'name'>): ObjectReference {
  const { name, namespace, uid, resourceVersion } = pod.metadata
  const kind = container && findContainer(pod, container.name)?.kind
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    name,
    uid,
    ...(namespace !== undefined && { namespace }),
    ...(resourceVersion !== '' && { resourceVersion }),
    ...(kind && { fieldPath: `${FIELDS[kind]}{${container.name}}` }),
  }
}

export function recordPodEvent(
  recorder: EventRecorder,
  about: { readonly pod: Pod; readonly container?: Pick<Container, 'name'> },
  type: 'Normal' | 'Warning',
  text: { readonly reason: string; readonly message: string },
): void {
  recorder.event(podReference(about.pod, about.container), type, text.reason, text.message)
}
