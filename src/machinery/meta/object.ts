/** The shape that every stored Kubernetes object shares. */
import type { ListMeta, ObjectMeta } from './v1.gen.ts'

/** Any object that has a name, a uid and a resourceVersion. */
export interface KubernetesObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

/** A decoded list answer; `metadata.resourceVersion` is the revision from which a watch may continue. */
export interface KubernetesList<T = KubernetesObject> {
  apiVersion?: string
  kind?: string
  metadata: ListMeta
  items: T[]
}
