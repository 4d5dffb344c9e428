/** Finds the template of the pods that an object will make. */
import type { PodSpec } from '#api/core/v1.gen.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'
import type { AdmissionAttributes } from './admission.ts'

export type Template = { readonly metadata?: Pick<ObjectMeta, 'annotations'>; readonly spec?: PodSpec }

/** Where kinds that make pods keep their template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
}

export const templatePath = ({
  group,
  resource,
}: Pick<KindDefinition, 'group' | 'resource'>): readonly string[] | undefined => TEMPLATES[`${group}/${resource}`]

/** Null for kinds that make no pods. */
export function templateOf({ kind, object }: AdmissionAttributes): Template | null {
  const path = templatePath(kind)
  if (path === undefined) return null
  let value: unknown = object
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name]
  return (value as Template | undefined) ?? null
}
