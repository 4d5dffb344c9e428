/** How IPAddresses are checked: the name is the address, in canonical form. */
import { canonicalIp, checkIp } from '#api/ip.ts'
import type { Strategy } from '#api/kind.ts'
import type { IPAddress } from '#api/networking/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsSubdomain, checkText, immutableField } from '#api/validation.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'
import { checkSegment } from '../references.ts'

export const ipAddressStrategy: Strategy<IPAddress> = {
  validate: validateAddress,
  validateUpdate(address, old) {
    const errors = validateAddress(address)
    if (!isSemanticallyEqual(address.spec?.parentRef, old.spec?.parentRef))
      errors.push(immutableField('spec.parentRef'))
    return errors
  },
}

/** What is wrong with the name, in words that need no field. */
export function ipAddressNameProblems(name: string): string[] {
  const errors: FieldError[] = []
  checkIp(errors, '', name)
  const canonical = canonicalIp(name)
  if (errors.length === 0 && name !== canonical)
    errors.push(invalidValue('', name, `must be in canonical form (${JSON.stringify(canonical)})`))
  return errors.map(({ message }) => message.slice(`Invalid value: ${JSON.stringify(name)}: `.length))
}

function validateAddress({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef
  const path = 'spec.parentRef'
  if (parent === undefined) return [required(path)]
  const errors: FieldError[] = []
  if (parent.group) checkDnsSubdomain(errors, `${path}.group`, parent.group)
  checkSegment(errors, `${path}.resource`, parent.resource)
  checkSegment(errors, `${path}.name`, parent.name)
  if (parent.namespace) checkText(errors, `${path}.namespace`, parent.namespace, isPathSegmentName)
  return errors
}
