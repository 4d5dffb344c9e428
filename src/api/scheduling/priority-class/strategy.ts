/** How PriorityClasses are completed and checked; the highest values belong to the system. */
import type { PriorityClass } from '#api/scheduling/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { checkEnum } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'

const USER_VALUE_MAX = 1_000_000_000
const SYSTEM_PREFIX = 'system-'
/** The classes that Kubernetes itself makes, and their values. */
const SYSTEM_CLASSES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
])

export const priorityClassStrategy: Strategy<PriorityClass> = {
  setDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  prepareForCreate({ metadata }) {
    metadata.generation = 1
  },
  validate(priorityClass) {
    const errors: FieldError[] = []
    const name = priorityClass.metadata.name ?? ''
    if (name.startsWith(SYSTEM_PREFIX)) {
      const problem = systemClassProblem(priorityClass)
      const text = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${problem}`
      if (problem !== null) errors.push(forbiddenField('metadata.name', text))
    } else if ((priorityClass.value ?? 0) > USER_VALUE_MAX)
      errors.push(forbiddenField('value', `maximum allowed value of a user defined priority is ${USER_VALUE_MAX}`))
    checkEnum(errors, 'preemptionPolicy', priorityClass.preemptionPolicy, ['Never', 'PreemptLowerPriority'])
    return errors
  },
  validateUpdate(priorityClass, old) {
    const errors: FieldError[] = []
    if ((priorityClass.value ?? 0) !== (old.value ?? 0))
      errors.push(forbiddenField('value', 'may not be changed in an update.'))
    const policy = priorityClass.preemptionPolicy
    if (policy !== old.preemptionPolicy) errors.push(invalidValue('preemptionPolicy', policy, 'field is immutable'))
    return errors
  },
}

function systemClassProblem({ metadata, value = 0, globalDefault = false }: PriorityClass): string | null {
  const expected = SYSTEM_CLASSES.get(metadata.name)
  if (expected === undefined) return `${metadata.name} is not a known system priority class`
  if (value !== expected) return `value of ${metadata.name} PriorityClass must be ${expected}`
  return globalDefault ? `globalDefault of ${metadata.name} PriorityClass must be false` : null
}
