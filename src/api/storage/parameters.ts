/** What classes of volumes hand to their driver: its name and free parameters. */
import { checkQualifiedName } from '#api/validation.ts'
import { type FieldError, invalidValue, required, tooLong } from '#machinery/field-error.ts'
import { byteLength } from '#machinery/validation/texts.ts'

const PARAMETERS_MAX = 512
const PARAMETERS_BYTES_MAX = 256 * 1024

export function checkDriverName(errors: FieldError[], path: string, name = ''): void {
  if (name === '') errors.push(required(path))
  else checkQualifiedName(errors, path, name.toLowerCase())
}

export function checkParameters(errors: FieldError[], parameters: Readonly<Record<string, string>> = {}): void {
  const entries = Object.entries(parameters)
  if (entries.length > PARAMETERS_MAX) {
    errors.push(tooLong('parameters', PARAMETERS_MAX))
    return
  }
  let bytes = 0
  for (const [name, value] of entries) {
    if (name === '') errors.push(invalidValue('parameters', name, 'field can not be empty.'))
    bytes += byteLength(name) + byteLength(value)
  }
  if (bytes > PARAMETERS_BYTES_MAX) errors.push(tooLong('parameters', PARAMETERS_BYTES_MAX))
}
