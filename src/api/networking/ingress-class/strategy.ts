/** How IngressClasses are completed, prepared and checked. */
import type { Strategy } from '#api/kind.ts'
import type { IngressClass, IngressClassParametersReference } from '#api/networking/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { checkDnsLabel } from '#api/validation.ts'
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '#machinery/field-error.ts'
import { validateDomainPrefixedPath } from '#machinery/validation/fields.ts'
import { byteLength } from '#machinery/validation/texts.ts'
import { checkReference } from '../references.ts'

const CONTROLLER_BYTES_MAX = 250
const SCOPES = ['Cluster', 'Namespace']

export const ingressClassStrategy: Strategy<IngressClass> = {
  setDefaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster'
  },
  prepareForCreate({ metadata }) {
    metadata.generation = 1
  },
  prepareForUpdate(object, old) {
    if (!isSemanticallyEqual(object.spec, old.spec)) bumpGeneration(object, old)
  },
  validate: validateClass,
  validateUpdate(object, old) {
    const controller = object.spec?.controller ?? ''
    const isSame = controller === (old.spec?.controller ?? '')
    const errors = isSame ? [] : [invalidValue('spec.controller', controller, 'field is immutable')]
    return [...errors, ...validateClass(object)]
  },
}

function validateClass({ spec = {} }: IngressClass): FieldError[] {
  const errors: FieldError[] = []
  const path = 'spec.controller'
  const controller = spec.controller ?? ''
  if (byteLength(controller) > CONTROLLER_BYTES_MAX) errors.push(tooLong(path, CONTROLLER_BYTES_MAX))
  errors.push(...validateDomainPrefixedPath(path, controller))
  if (spec.parameters !== undefined) validateParameters(errors, 'spec.parameters', spec.parameters)
  return errors
}

function validateParameters(errors: FieldError[], path: string, parameters: IngressClassParametersReference): void {
  checkReference(errors, path, parameters)
  const { scope, namespace } = parameters
  if (scope === undefined) errors.push(required(`${path}.scope`))
  else if (!SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES))
  else if (scope === 'Cluster') {
    if (namespace !== undefined)
      errors.push(forbiddenField(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  } else if (namespace === undefined)
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"))
  else checkDnsLabel(errors, `${path}.namespace`, namespace)
}
