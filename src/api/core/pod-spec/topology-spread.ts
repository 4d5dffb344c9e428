/** Checks how pods are to be spread over zones and nodes. */
import type { TopologySpreadConstraint } from '#api/core/v1.gen.ts'
import { checkEnum, checkLabelSelector, checkPositive } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { validateMatchLabelKeys, validateOldMatchLabelKeys } from './match-label-keys.ts'

export type SpreadOptions = {
  readonly path: string
  /** The old object holds selectors that are no valid ones. */
  readonly allowInvalidSelector: boolean
  /** The old object was stored under the older rule of matchLabelKeys. */
  readonly hasOldMatchLabelKeys: boolean
}

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway']
const POLICIES = ['Honor', 'Ignore']

export function validateTopologySpread(
  errors: FieldError[],
  constraints: readonly TopologySpreadConstraint[],
  options: SpreadOptions,
): void {
  for (const [i, constraint] of constraints.entries()) {
    const place = `${options.path}[${i}]`
    const { topologyKey = '', whenUnsatisfiable = '' } = constraint
    checkPositive(errors, `${place}.maxSkew`, constraint.maxSkew ?? 0)
    if (topologyKey === '') errors.push(required(`${place}.topologyKey`, 'can not be empty'))
    if (!ACTIONS.includes(whenUnsatisfiable))
      errors.push(notSupported(`${place}.whenUnsatisfiable`, whenUnsatisfiable, ACTIONS))
    const isRepeated = constraints
      .slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (isRepeated)
      errors.push(duplicate(`${place}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`))
    validateMinDomains(errors, constraint, `${place}.minDomains`)
    checkEnum(errors, `${place}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, POLICIES)
    checkEnum(errors, `${place}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, POLICIES)
    if (options.hasOldMatchLabelKeys) validateOldMatchLabelKeys(errors, constraint, place)
    else validateMatchLabelKeys(errors, constraint, place)
    if (!options.allowInvalidSelector)
      checkLabelSelector(errors, `${place}.labelSelector`, constraint.labelSelector, {})
  }
}

function validateMinDomains(errors: FieldError[], constraint: TopologySpreadConstraint, path: string): void {
  const { minDomains, whenUnsatisfiable = '' } = constraint
  if (minDomains === undefined) return
  checkPositive(errors, path, minDomains)
  if (whenUnsatisfiable === 'DoNotSchedule') return
  const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
  errors.push(invalidValue(path, minDomains, text))
}
