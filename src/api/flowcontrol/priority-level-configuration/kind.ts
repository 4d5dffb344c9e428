/** How many requests of one priority run at a time, and what the others do. */
import { defineKind } from '#api/define-kind.ts'
import type { PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { validateStatusConditions } from '../conditions.ts'
import { validatePriorityLevel } from './validation.ts'

const CONCURRENCY_SHARES = 30
const QUEUES = 64
const HAND_SIZE = 8
const QUEUE_LENGTH = 50

const strategy: Strategy<PriorityLevelConfiguration> = {
  ...specStatusStrategy<PriorityLevelConfiguration>({ generation: true, resetsMetaForStatus: true }),
  setDefaults({ spec: { exempt, limited } }) {
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0
      exempt.lendablePercent ??= 0
    }
    if (limited === undefined) return
    limited.nominalConcurrencyShares ??= CONCURRENCY_SHARES
    limited.lendablePercent ??= 0
    const queuing = limited.limitResponse?.queuing
    if (queuing === undefined) return
    queuing.handSize ||= HAND_SIZE
    queuing.queues ||= QUEUES
    queuing.queueLengthLimit ||= QUEUE_LENGTH
  },
  validate: validatePriorityLevel,
  validateUpdate: (level, _old, { subresource }) =>
    subresource === 'status' ? validateStatusConditions(level.status?.conditions ?? []) : validatePriorityLevel(level),
}

const NONE = '<none>'

export const priorityLevelConfigurationKind = defineKind<PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
  {
    strategy,
    row({ metadata, spec }, nowMs) {
      const queuing = spec.limited?.limitResponse?.queuing
      return [
        metadata.name,
        spec.type ?? '',
        spec.limited === undefined ? NONE : (spec.limited.nominalConcurrencyShares ?? 0),
        queuing === undefined ? NONE : (queuing.queues ?? 0),
        queuing === undefined ? NONE : (queuing.handSize ?? 0),
        queuing === undefined ? NONE : (queuing.queueLengthLimit ?? 0),
        formatAge(metadata.creationTimestamp, nowMs),
      ]
    },
  },
)
