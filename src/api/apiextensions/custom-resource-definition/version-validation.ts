/** What a version of a custom resource may declare: schema, subresources, columns, selectable fields. */
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from '#api/apiextensions/v1.gen.ts'
import { duplicate, type FieldError, invalidValue, required, tooMany } from '#machinery/field-error.ts'
import { checkSchema, fieldPathProblem } from './schema-validation.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const WARNING_BYTES_MAX = 256
const SELECTABLE_FIELDS_MAX = 8

/** The parts that upstream reports at the top when all versions say the same. */
export type VersionParts = Pick<
  CustomResourceDefinitionVersion,
  'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields'
>

export type PartsPlace = {
  readonly path: string
  /** `schema` in a version, `validation` at the top. */
  readonly schemaField: string
  readonly hasStatus: boolean
  /** Schema that selectable fields look at. */
  readonly schema: JSONSchemaProps | undefined
}

export function checkParts(errors: FieldError[], parts: VersionParts, place: PartsPlace): void {
  const { path } = place
  const schema = parts.schema?.openAPIV3Schema
  if (schema !== undefined) checkSchema(errors, `${path}.${place.schemaField}.openAPIV3Schema`, schema, place.hasStatus)
  checkScale(errors, `${path}.subresources`, parts.subresources?.scale)
  for (const [i, column] of (parts.additionalPrinterColumns ?? []).entries())
    checkColumn(errors, `${path}.additionalPrinterColumns[${i}]`, column)
  const fields = parts.selectableFields ?? []
  if (fields.length === 0) return
  if (place.schema === undefined) {
    const text =
      place.schemaField === 'schema'
        ? 'may only be set when `version.schema.openAPIV3Schema` is not included'
        : 'may only be set when validations.schema is included'
    errors.push(invalidValue(`${path}.selectableFields`, '', text))
  } else checkSelectable(errors, `${path}.selectableFields`, fields, place.schema)
}

export function checkDeprecation(
  errors: FieldError[],
  path: string,
  { deprecated = false, deprecationWarning: warning }: CustomResourceDefinitionVersion,
): void {
  if (warning === undefined) return
  const problems: string[] = []
  if (!deprecated) problems.push('can only be set for deprecated versions')
  else {
    if (Buffer.byteLength(warning) > WARNING_BYTES_MAX) problems.push(`must be <= ${WARNING_BYTES_MAX} characters long`)
    if (warning === '') problems.push('must not be an empty string')
    const hidden = warning.search(/[\p{C}]/u)
    if (hidden >= 0) {
      const text = `must only contain printable UTF-8 characters; non-printable character found at index ${hidden}`
      problems.push(text)
    }
  }
  for (const problem of problems) errors.push(invalidValue(`${path}.deprecationWarning`, warning, problem))
}

function checkScale(errors: FieldError[], path: string, scale: CustomResourceSubresources['scale']): void {
  if (scale === undefined) return
  checkScalePath(errors, `${path}.scale.specReplicasPath`, scale.specReplicasPath ?? '', ['.spec'])
  checkScalePath(errors, `${path}.scale.statusReplicasPath`, scale.statusReplicasPath ?? '', ['.status'])
  if (scale.labelSelectorPath)
    checkScalePath(errors, `${path}.scale.labelSelectorPath`, scale.labelSelectorPath, ['.spec', '.status'])
}

function checkScalePath(errors: FieldError[], path: string, text: string, roots: readonly string[]): void {
  if (text === '') errors.push(required(path))
  else if (!text.startsWith('.')) errors.push(invalidValue(path, text, 'must be a simple json path starting with .'))
  else if (!roots.some((root) => text.startsWith(`${root}.`))) {
    const where = roots.length === 1 ? roots[0] : `either ${roots.join(' or ')}`
    errors.push(invalidValue(path, text, `should be a json path under ${where}`))
  }
}

function checkColumn(errors: FieldError[], path: string, column: CustomResourceColumnDefinition): void {
  const { name = '', type = '', format = '', jsonPath = '' } = column
  if (name === '') errors.push(required(`${path}.name`))
  const typeText = `must be one of ${COLUMN_TYPES.join(',')}`
  if (type === '') errors.push(required(`${path}.type`, typeText))
  else if (!COLUMN_TYPES.includes(type)) errors.push(invalidValue(`${path}.type`, type, typeText))
  if (format !== '' && !COLUMN_FORMATS.includes(format))
    errors.push(invalidValue(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  if (jsonPath === '') errors.push(required(`${path}.JSONPath`))
  else if (!jsonPath.startsWith('.'))
    errors.push(invalidValue(`${path}.JSONPath`, jsonPath, 'must be a simple json path starting with .'))
}

function checkSelectable(
  errors: FieldError[],
  path: string,
  fields: readonly SelectableField[],
  schema: JSONSchemaProps,
): void {
  const known = new Set<string>()
  for (const [i, { jsonPath = '' }] of fields.entries()) {
    const place = `${path}[${i}].jsonPath`
    const problem = jsonPath === '' ? undefined : fieldPathProblem(jsonPath, schema)
    if (jsonPath === '') errors.push(required(place))
    else if (problem !== undefined) errors.push(invalidValue(place, jsonPath, problem))
    else if (known.has(jsonPath)) errors.push(duplicate(place, jsonPath))
    if (jsonPath !== '') known.add(jsonPath)
  }
  if (known.size > SELECTABLE_FIELDS_MAX) errors.push(tooMany(path, known.size, SELECTABLE_FIELDS_MAX))
}
