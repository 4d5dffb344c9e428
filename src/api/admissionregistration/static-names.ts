/** Names that belong to configurations which are files of the API server. */
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

const SUFFIX = '.static.k8s.io'
const TEXT = `names ending with "${SUFFIX}" are reserved for static manifest-based configurations and cannot be managed via the API`

export function staticNameErrors({ metadata: { name = '' } }: KubernetesObject): FieldError[] {
  return name.endsWith(SUFFIX) ? [invalidValue('metadata.name', name, TEXT)] : []
}

export function staticNameWarnings({ metadata: { name = '' } }: KubernetesObject): string[] {
  return name.endsWith(SUFFIX) ? [`metadata.name: ${TEXT}`] : []
}
