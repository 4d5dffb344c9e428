/** Keeps one pod on each node that it selects. */
import type { DaemonSet } from '#api/apps/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatAge, formatLabels, formatLabelSelector } from '#api/table-cells.ts'
import { daemonSetStrategy } from './strategy.ts'
import { TEMPLATE_GENERATION } from './template-generation.ts'

export const daemonSetKind = defineKind<DaemonSet>('apps/v1/daemonsets', {
  strategy: daemonSetStrategy,
  annotationOfField: TEMPLATE_GENERATION,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    formatLabels(spec.template.spec?.nodeSelector),
    formatAge(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template.spec?.containers),
    formatLabelSelector(spec.selector),
  ],
})
