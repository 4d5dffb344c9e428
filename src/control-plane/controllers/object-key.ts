/** The keys of controllers' queues: `namespace/name`, or `name` of a cluster-scoped object. */
import { formatApiVersion } from '#api/kind.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { ObjectReference } from '#client/event-recorder.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { OwnerReference } from '#machinery/meta/v1.gen.ts'

export { keyOf } from '#client/informer.ts'

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The owner that manages the object, if it has one. */
export function controllerOf(object: KubernetesObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** The key of the owner that manages the object, if that is of this kind. */
export function controllerKeyOf(object: KubernetesObject, kind: string): string | null {
  const owner = controllerOf(object)
  return owner?.kind === kind ? `${object.metadata.namespace}/${owner.name}` : null
}

/** The reference by which a dependent names its managing owner. */
export function controllerReference(resource: ResourceRef, owner: KubernetesObject): OwnerReference {
  return {
    apiVersion: formatApiVersion(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** The object as its events name it. */
export function referenceTo(resource: ResourceRef, object: KubernetesObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata
  return {
    apiVersion: formatApiVersion(resource),
    kind: resource.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    resourceVersion,
  }
}

/** `metav1.Time` of a moment: whole seconds. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
