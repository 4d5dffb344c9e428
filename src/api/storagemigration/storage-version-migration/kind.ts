/** A request to store all objects of a resource in its current version. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { StorageVersionMigration } from '#api/storagemigration/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { IMMUTABLE } from '#api/validation.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { validateConditions } from '#machinery/validation/fields.ts'
import { isDns1035Label, isDns1123Subdomain } from '#machinery/validation/names.ts'

const strategy: Strategy<StorageVersionMigration> = {
  ...specStatusStrategy<StorageVersionMigration>({ generation: false, resetsMetaForStatus: true }),
  requireResourceVersion: true,
  validate: validateMigration,
  validateUpdate(migration, old, { subresource }) {
    if (subresource === 'status') return validateStatus(migration, old)
    const errors = validateMigration(migration)
    if (!isSemanticallyEqual(migration.spec, old.spec)) errors.push(invalidValue('spec', migration.spec, IMMUTABLE))
    return errors
  },
}

function validateMigration({ spec }: StorageVersionMigration): FieldError[] {
  const { resource = '', group = '' } = spec.resource ?? {}
  const errors: FieldError[] = []
  const path = 'spec.resource'
  if (resource === '') errors.push(required(`${path}.resource`, 'resource is required to be set'))
  const problems = resource === '' ? [] : isDns1035Label(resource)
  if (problems.length > 0) errors.push(invalidValue(`${path}.resource`, resource, problems.join(',')))
  const groupProblems = group === '' ? [] : isDns1123Subdomain(group)
  if (groupProblems.length > 0) errors.push(invalidValue(`${path}.group`, group, groupProblems.join(',')))
  return errors
}

function validateStatus({ status }: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  const { conditions = [], resourceVersion = '' } = status ?? {}
  const errors: FieldError[] = []
  if (resourceVersion !== '' && !/^[1-9]\d*$/.test(resourceVersion)) {
    const text = `resource version is not well formed: ${resourceVersion}`
    errors.push(invalidValue('status.resourceVersion', resourceVersion, text))
  }
  errors.push(...validateConditions(conditions, 'status.conditions'))
  const before = old.status?.resourceVersion ?? ''
  if (before !== '' && before !== resourceVersion)
    errors.push(invalidValue('status.resourceVersion', resourceVersion, IMMUTABLE))
  const isTrue = (migration: StorageVersionMigration['status'], type: string): boolean =>
    migration?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
  const refuse = (text: string): void => void errors.push(invalidValue('status.conditions', conditions, text))
  if (isTrue(status, 'Succeeded') && isTrue(status, 'Failed'))
    refuse('Both success and failed conditions cannot be true at the same time')
  if (isTrue(old.status, 'Succeeded') && !isTrue(status, 'Succeeded'))
    refuse('Success condition cannot be set to false once it is true')
  if (isTrue(old.status, 'Failed') && !isTrue(status, 'Failed'))
    refuse('Failed condition cannot be set to false once it is true')
  return errors
}

function statusCell({ status }: StorageVersionMigration): string {
  const known = ['Running', 'Failed', 'Succeeded']
  return (
    status?.conditions?.findLast((condition) => condition.status === 'True' && known.includes(condition.type))?.type ??
    'Unknown'
  )
}

export const storageVersionMigrationKind = defineKind<StorageVersionMigration>(
  'storagemigration.k8s.io/v1/storageversionmigrations',
  {
    storageVersion: 'v1beta1',
    strategy,
    row: (migration) => {
      const { resource = '', group = '' } = migration.spec.resource ?? {}
      return [migration.metadata.name, group === '' ? resource : `${resource}.${group}`, statusCell(migration)]
    },
  },
)
