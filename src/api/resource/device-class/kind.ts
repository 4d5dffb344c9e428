/** A class of devices that claims ask for: selectors and configuration. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import type { DeviceClass } from '#api/resource/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { isLongName, isQualifiedName } from '#machinery/validation/names.ts'
import { checkConfiguration, checkEach, checkSelectors } from '../device-config.ts'

const strategy: Strategy<DeviceClass> = {
  ...specStatusStrategy<DeviceClass>({ generation: true }),
  validate: validateDeviceClass,
  validateUpdate: validateDeviceClass,
}

function validateDeviceClass({ spec }: DeviceClass): FieldError[] {
  const errors: FieldError[] = []
  checkSelectors(errors, 'spec.selectors', spec.selectors)
  checkEach(errors, 'spec.config', spec.config, (path, config) => checkConfiguration(errors, path, config))
  const name = spec.extendedResourceName
  if (name !== undefined)
    for (const problem of extendedNameProblems(name))
      errors.push(invalidValue('spec.extendedResourceName', name, problem))
  return errors
}

/** Upstream's rule for names that pods ask for: domain-prefixed, and still a label key with the prefix of quotas. */
function extendedNameProblems(name: string): string[] {
  const problems: string[] = []
  if (!name.includes('/')) problems.push("a name must be a domain-prefixed path, such as 'example.com/my-prop'")
  else if (name.includes(NATIVE_DOMAIN)) problems.push(`must not have "${NATIVE_DOMAIN}" domain`)
  if (name.startsWith(QUOTA_PREFIX)) problems.push(`must not have "${QUOTA_PREFIX}" prefix`)
  return [...problems, ...isQualifiedName(`${QUOTA_PREFIX}${name}`)]
}

const NATIVE_DOMAIN = 'kubernetes.io/'
const QUOTA_PREFIX = 'requests.'

export const deviceClassKind = defineKind<DeviceClass>('resource.k8s.io/v1/deviceclasses', {
  answersDeleted: true,
  strategy,
  // The prefix of a generated name is not checked.
  nameRule: (name, isPrefix) => (isPrefix ? [] : isLongName(name)),
  row: ({ metadata }, nowMs) => [metadata.name, formatAge(metadata.creationTimestamp, nowMs)],
})
