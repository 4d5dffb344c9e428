/** The pods of a Job as they are created: tracked, and for an indexed Job with the index in name, label and environment. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Container, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { failureAnnotations } from './index-failures.ts'
import { INDEX_KEY, TRACKING_FINALIZER } from './pod-facts.ts'
import type { JobState } from './plan.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'
/** 63 characters of a name, less the 5 that the server adds. */
const PREFIX_LENGTH_MAX = 58

/** `index` is -1 for a Job without indexes. */
export function podTemplateOf(job: Job, index: number, { delayed }: JobState): PodTemplateSpec {
  const { template } = job.spec
  const finalizers = [...new Set([...(template.metadata?.finalizers ?? []), TRACKING_FINALIZER])]
  if (index < 0) return { ...template, metadata: { ...template.metadata, finalizers } }
  const spec = template.spec!
  return {
    ...template,
    metadata: {
      ...template.metadata,
      finalizers,
      labels: { ...template.metadata?.labels, [INDEX_KEY]: String(index) },
      annotations: {
        ...template.metadata?.annotations,
        [INDEX_KEY]: String(index),
        ...failureAnnotations(job, delayed.get(index)),
      },
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndexVariable) }),
    },
  }
}

export function podPrefixOf({ metadata }: Job, index: number): string {
  const suffix = index < 0 ? '-' : `-${index}-`
  return metadata.name.slice(0, PREFIX_LENGTH_MAX - suffix.length) + suffix
}

function withIndexVariable(container: Container): Container {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return container
  const fieldRef = { fieldPath: `metadata.labels['${INDEX_KEY}']` }
  return { ...container, env: [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef } }] }
}
