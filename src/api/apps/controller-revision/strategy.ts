/** How writes of ControllerRevisions are checked: the data never changes. */
import type { ControllerRevision } from '#api/apps/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { checkNonNegative } from '#api/validation.ts'
import { checkImmutable } from '#api/workload/validation.ts'
import { type FieldError, required } from '#machinery/field-error.ts'

export const controllerRevisionStrategy: Strategy<ControllerRevision> = {
  validate({ revision, data }) {
    const errors: FieldError[] = []
    checkNonNegative(errors, 'revision', revision)
    if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'))
    else if (typeof data !== 'object' || Array.isArray(data))
      errors.push(required('data', 'data must be a valid JSON object'))
    return errors
  },
  validateUpdate({ revision, data }, old) {
    const errors: FieldError[] = []
    checkNonNegative(errors, 'revision', revision)
    checkImmutable(errors, 'data', [data, old.data])
    return errors
  },
}
