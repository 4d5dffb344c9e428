/** How VolumeAttributesClasses are checked: they never change. */
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { VolumeAttributesClass } from '#api/storage/v1.gen.ts'
import { type FieldError, forbiddenField, required } from '#machinery/field-error.ts'
import { checkDriverName, checkParameters } from '../parameters.ts'

export const volumeAttributesClassStrategy: Strategy<VolumeAttributesClass> = {
  validate: validateClass,
  validateUpdate(attributesClass, old) {
    const errors: FieldError[] = []
    if ((attributesClass.driverName ?? '') !== (old.driverName ?? ''))
      errors.push(forbiddenField('driverName', 'updates to driverName are forbidden.'))
    if (!isSemanticallyEqual(attributesClass.parameters ?? {}, old.parameters ?? {}))
      errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'))
    return [...errors, ...validateClass(attributesClass)]
  },
}

function validateClass({ driverName, parameters = {} }: VolumeAttributesClass): FieldError[] {
  const errors: FieldError[] = []
  checkDriverName(errors, 'driverName', driverName)
  checkParameters(errors, parameters)
  if (Object.keys(parameters).length === 0)
    errors.push(required('parameters', 'must contain at least one key/value pair'))
  return errors
}
