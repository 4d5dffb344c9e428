/** What a PriorityLevelConfiguration must look like; two of them have a fixed content. */
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '#api/flowcontrol/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { validateStatusConditions } from '../conditions.ts'

const QUEUES_MAX = 10_000_000
const HASH_BITS = 60
const PRESERVE_ZERO = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'
const CATCH_ALL: PriorityLevelConfigurationSpec = {
  type: 'Limited',
  limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
}

export function validatePriorityLevel({ metadata, spec, status }: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = []
  const { name } = metadata
  if (metadata.annotations?.[PRESERVE_ZERO] !== undefined)
    errors.push(forbiddenField('metadata.annotations', `annotation '${PRESERVE_ZERO}' is forbidden`))
  const type = spec.type ?? ''
  if ((name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalidValue('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"))
  if (type === 'Exempt') checkExempt(errors, 'spec.exempt', spec.exempt)
  else if (type === 'Limited') checkLimited(errors, 'spec.limited', spec.limited)
  else if (type !== '') errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']))
  checkFixed(errors, name, spec)
  errors.push(...validateStatusConditions(status?.conditions ?? []))
  checkUnions(errors, spec)
  return errors
}

function checkFixed(errors: FieldError[], name: string, spec: PriorityLevelConfigurationSpec): void {
  const { exempt: _free, ...others } = spec
  if (name === 'exempt' && !isSemanticallyEqual(others, { type: 'Exempt' })) {
    const text = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"
    errors.push(invalidValue('spec', spec, text))
  }
  if (name === 'catch-all' && !isSemanticallyEqual(spec, CATCH_ALL))
    errors.push(invalidValue('spec', spec, "spec of 'catch-all' must equal the fixed value"))
}

/** Upstream's declarative rules, which follow the others: each type has its own part. */
function checkUnions(errors: FieldError[], { type, limited, exempt }: PriorityLevelConfigurationSpec): void {
  if (type === 'Limited' && limited === undefined) errors.push(required('spec.limited'))
  if (type !== 'Limited' && limited !== undefined) errors.push(forbiddenField('spec.limited', ''))
  if (type !== 'Exempt' && exempt !== undefined) errors.push(forbiddenField('spec.exempt', ''))
  if (!type) errors.push(required('spec.type'))
  if (limited !== undefined) checkResponseUnion(errors, 'spec.limited.limitResponse', limited.limitResponse)
}

function checkResponseUnion(errors: FieldError[], path: string, response: LimitResponse | undefined): void {
  const { type, queuing } = response ?? {}
  if (type === 'Queue' && queuing === undefined) errors.push(required(`${path}.queuing`))
  if (type !== 'Queue' && queuing !== undefined) errors.push(forbiddenField(`${path}.queuing`, ''))
  if (!type) errors.push(required(`${path}.type`))
}

function checkExempt(errors: FieldError[], path: string, exempt: ExemptPriorityLevelConfiguration | undefined): void {
  if (exempt === undefined) return
  checkShares(errors, path, exempt.nominalConcurrencyShares)
  checkPercent(errors, `${path}.lendablePercent`, exempt.lendablePercent)
}

function checkLimited(
  errors: FieldError[],
  path: string,
  limited: LimitedPriorityLevelConfiguration | undefined,
): void {
  if (limited === undefined) return
  checkShares(errors, path, limited.nominalConcurrencyShares)
  const { type = '', queuing } = limited.limitResponse ?? {}
  const responsePath = `${path}.limitResponse`
  if (type === 'Queue' && queuing !== undefined) checkQueuing(errors, `${responsePath}.queuing`, queuing)
  if (type !== '' && type !== 'Queue' && type !== 'Reject')
    errors.push(notSupported(`${responsePath}.type`, type, ['Queue', 'Reject']))
  checkPercent(errors, `${path}.lendablePercent`, limited.lendablePercent)
  const { borrowingLimitPercent: borrowed = 0 } = limited
  if (borrowed < 0) {
    const text = 'if specified, must be a non-negative integer'
    errors.push(invalidValue(`${path}.borrowingLimitPercent`, borrowed, text))
  }
}

function checkShares(errors: FieldError[], path: string, shares = 0): void {
  if (shares < 0)
    errors.push(invalidValue(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'))
}

function checkPercent(errors: FieldError[], path: string, percent = 0): void {
  if (percent < 0 || percent > 100) errors.push(invalidValue(path, percent, 'must be between 0 and 100, inclusive'))
}

function checkQueuing(errors: FieldError[], path: string, queuing: QueuingConfiguration): void {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing
  if (queueLengthLimit <= 0) errors.push(invalidValue(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(invalidValue(`${path}.queues`, queues, 'must be positive'))
  else if (queues > QUEUES_MAX)
    errors.push(invalidValue(`${path}.queues`, queues, `must not be greater than ${QUEUES_MAX}`))
  const bits = Math.ceil(Math.log2(queues) * handSize)
  if (handSize <= 0) errors.push(invalidValue(`${path}.handSize`, handSize, 'must be positive'))
  else if (handSize > queues)
    errors.push(invalidValue(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`))
  else if (bits > HASH_BITS) {
    const text = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS}`
    errors.push(invalidValue(`${path}.handSize`, handSize, text))
  }
}
