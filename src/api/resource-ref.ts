/** How a client names a resource; resources.gen.ts holds one for each that Kubernetes serves. */
import type { KubernetesObject } from '#machinery/meta/object.ts'

/** A resource as a client names it. `kind` is filled into objects that are sent. */
export type ResourceRef<T extends KubernetesObject = KubernetesObject> = {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  /** Carries the type only; never set. */
  readonly type?: T
}
