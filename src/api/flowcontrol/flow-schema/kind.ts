/** Sorts requests into flows and gives each flow a priority level. */
import { defineKind } from '#api/define-kind.ts'
import type { FlowSchema } from '#api/flowcontrol/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { validateStatusConditions } from '../conditions.ts'
import { validateFlowSchema } from './validation.ts'

const MATCHING_PRECEDENCE = 1000

const strategy: Strategy<FlowSchema> = {
  ...specStatusStrategy<FlowSchema>({ generation: true, resetsMetaForStatus: true }),
  setDefaults({ spec }) {
    spec.matchingPrecedence ||= MATCHING_PRECEDENCE
  },
  validate: validateFlowSchema,
  validateUpdate: (schema, _old, { subresource }) =>
    subresource === 'status' ? validateStatusConditions(schema.status?.conditions ?? []) : validateFlowSchema(schema),
}

export const flowSchemaKind = defineKind<FlowSchema>('flowcontrol.apiserver.k8s.io/v1/flowschemas', {
  strategy,
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.priorityLevelConfiguration?.name ?? '',
    spec.matchingPrecedence ?? 0,
    spec.distinguisherMethod?.type ?? '<none>',
    formatAge(metadata.creationTimestamp, nowMs),
    status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ],
})
