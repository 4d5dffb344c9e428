/** Selectors and configuration that classes and claims share. */
import type { DeviceClassConfiguration, DeviceSelector, OpaqueDeviceConfiguration } from '#api/resource/v1.gen.ts'
import { checkExpression } from '#api/expressions.ts'
import { checkDeclaredDriver } from '#api/validation.ts'
import type { CelScope } from '#machinery/cel/references.ts'
import { declared, type FieldError, invalidValue, required, tooLong, tooMany } from '#machinery/field-error.ts'

/** What a selector may look at. */
const DEVICE_SCOPE: CelScope = { variables: new Set(['device']) }
const LIST_MAX = 32
const EXPRESSION_BYTES_MAX = 10 * 1024
const PARAMETERS_BYTES_MAX = 10 * 1024

/** Looks at each part of a list that is not too long. */
export function checkEach<T>(
  errors: FieldError[],
  path: string,
  items: readonly T[] | undefined,
  check: (path: string, item: T) => void,
): void {
  if (items === undefined) return
  if (items.length > LIST_MAX) errors.push(declared(tooMany(path, items.length, LIST_MAX)))
  else for (const [i, item] of items.entries()) check(`${path}[${i}]`, item)
}

export function checkSelectors(
  errors: FieldError[],
  path: string,
  selectors: readonly DeviceSelector[] | undefined,
): void {
  checkEach(errors, path, selectors, (place, { cel }) => {
    if (cel === undefined) errors.push(required(`${place}.cel`))
    else if (Buffer.byteLength(cel.expression ?? '') > EXPRESSION_BYTES_MAX)
      errors.push(tooLong(`${place}.cel.expression`, EXPRESSION_BYTES_MAX))
    else checkExpression(errors, `${place}.cel.expression`, cel.expression ?? '', DEVICE_SCOPE)
  })
}

export function checkConfiguration(errors: FieldError[], path: string, { opaque }: DeviceClassConfiguration): void {
  if (opaque === undefined) errors.push(required(`${path}.opaque`))
  else checkOpaque(errors, `${path}.opaque`, opaque)
}

function checkOpaque(errors: FieldError[], path: string, opaque: OpaqueDeviceConfiguration): void {
  checkDeclaredDriver(errors, `${path}.driver`, opaque.driver ?? '')
  const parameters = opaque.parameters as unknown
  if (parameters === undefined || parameters === null) errors.push(required(`${path}.parameters`))
  else if (Buffer.byteLength(JSON.stringify(parameters)) > PARAMETERS_BYTES_MAX)
    errors.push(tooLong(`${path}.parameters`, PARAMETERS_BYTES_MAX))
  else if (typeof parameters !== 'object' || Array.isArray(parameters))
    errors.push(invalidValue(`${path}.parameters`, '<value omitted>', 'must be a valid JSON object'))
}
