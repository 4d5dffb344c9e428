/** Checks Leases. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import { checkQualifiedName } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported } from '#machinery/field-error.ts'

const STRATEGIES = ['OldestEmulationVersion']

export function validateLease({ spec = {} }: Lease): FieldError[] {
  const errors: FieldError[] = []
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy } = spec
  if (seconds !== undefined && seconds <= 0)
    errors.push(invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0'))
  if (transitions !== undefined && transitions < 0)
    errors.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'))
  if (strategy !== undefined) validateStrategy(errors, strategy)
  if (spec.preferredHolder && !strategy)
    errors.push(forbiddenField('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
  return errors
}

/** Upstream names the field twice. */
export function validateStrategy(errors: FieldError[], strategy: string): void {
  const path = 'spec.strategy.strategy'
  if (strategy.includes('/')) checkQualifiedName(errors, path, strategy)
  else if (!STRATEGIES.includes(strategy)) errors.push(notSupported(path, strategy, STRATEGIES))
}
