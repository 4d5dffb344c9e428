/** Names of drivers, pools and attributes of devices. */
import { checkDnsSubdomain } from '#api/validation.ts'
import { declared, type FieldError, invalidValue, required, tooLong } from '#machinery/field-error.ts'
import { isCIdentifier, isDns1123Subdomain, isLongName } from '#machinery/validation/names.ts'
import { byteLength } from '#machinery/validation/texts.ts'

const DRIVER_BYTES_MAX = 63
const POOL_BYTES_MAX = 253
const ID_BYTES_MAX = 32

export function checkDriver(errors: FieldError[], path: string, name: string): void {
  if (name === '') {
    errors.push(required(path))
    return
  }
  if (name.length > DRIVER_BYTES_MAX) errors.push(tooLong(path, DRIVER_BYTES_MAX))
  for (const problem of isDns1123Subdomain(name.toLowerCase())) errors.push(invalidValue(path, name, problem))
}

export function checkPool(errors: FieldError[], path: string, name: string): void {
  if (name === '') {
    errors.push(required(path))
    return
  }
  if (name.length > POOL_BYTES_MAX) errors.push(tooLong(path, POOL_BYTES_MAX))
  for (const part of name.split('/')) checkDnsSubdomain(errors, path, part)
}

/** An identifier, or domain and identifier with a slash between them. */
export function checkQualified(errors: FieldError[], path: string, name: string): void {
  const [first = '', second, ...rest] = name.split('/')
  if (rest.length > 0) return
  if (second === undefined) {
    checkIdentifier(errors, path, first)
    return
  }
  if (first === '') errors.push(invalidValue(path, '', 'the domain must not be empty'))
  else checkDriver(errors, path, first)
  if (second === '') errors.push(invalidValue(path, '', 'the name must not be empty'))
  else checkIdentifier(errors, path, second)
}

/** Domain and identifier with a slash between them, in the words of a check that upstream declares on the type. */
export function checkFullyQualified(errors: FieldError[], path: string, name: string): void {
  const found: FieldError[] = []
  const [first = '', second, ...rest] = name.split('/')
  if (second === undefined) {
    checkIdentifier(found, path, first)
    const text = 'a fully qualified name must be a domain and a name separated by a slash'
    found.push(invalidValue(path, name, text))
  } else if (rest.length === 0) {
    if (first === '') found.push(invalidValue(path, '', 'prefix must not be empty'))
    else if (byteLength(first) > DRIVER_BYTES_MAX) found.push(tooLong(path, DRIVER_BYTES_MAX))
    if (first !== '')
      for (const problem of isLongName(first)) found.push(invalidValue(path, first, `prefix: ${problem}`))
    if (second === '') found.push(invalidValue(path, '', 'name must not be empty'))
    else checkIdentifier(found, path, second)
  }
  errors.push(...found.map(declared))
}

/** The name of a pool, in the words of a check that upstream declares on the type. */
export function checkDeclaredPool(errors: FieldError[], path: string, name: string): void {
  if (name === '') errors.push(declared(required(path)))
  if (byteLength(name) > POOL_BYTES_MAX) errors.push(declared(tooLong(path, POOL_BYTES_MAX)))
  for (const [i, part] of (name === '' ? [] : name.split('/')).entries()) {
    if (part === '') errors.push(declared(invalidValue(path, name, `segment ${i}: must not be empty`)))
    else
      for (const problem of isLongName(part))
        errors.push(declared(invalidValue(path, part, `segment ${i}: ${problem}`)))
  }
}

function checkIdentifier(errors: FieldError[], path: string, id: string): void {
  if (id.length > ID_BYTES_MAX) errors.push(tooLong(path, ID_BYTES_MAX))
  for (const problem of isCIdentifier(id)) errors.push(invalidValue(path, id, problem))
}
