/** A pod template as an object of its own. */
import type { PodTemplate } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { containerCells, formatLabels } from '#api/table-cells.ts'
import { podTemplateStrategy } from './strategy.ts'

export const podTemplateKind = defineKind<PodTemplate>('v1/podtemplates', {
  answersDeleted: true,
  strategy: podTemplateStrategy,
  row: ({ metadata, template }) => [
    metadata.name,
    ...containerCells(template?.spec?.containers),
    formatLabels(template?.metadata?.labels),
  ],
})
