/** Which OpenAPI schemas a custom resource may have: structural ones, with a type at every place. */
import type { JSONSchemaProps } from '#api/apiextensions/v1.gen.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
type Level = 'root' | 'item' | 'field'
const MISSING_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

export function checkSchema(errors: FieldError[], path: string, schema: JSONSchemaProps, hasStatus: boolean): void {
  if (hasStatus && schema.type && schema.type !== 'object') {
    const text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
    errors.push(invalidValue(`${path}.type`, schema.type, text))
  }
  if (schema.nullable === true) errors.push(forbiddenField(`${path}.nullable`, 'nullable cannot be true at the root'))
  checkStructure(errors, path, schema, 'root')
  checkTypes(errors, path, schema)
}

function checkStructure(errors: FieldError[], path: string, schema: JSONSchemaProps, level: Level): void {
  const { type = '', items, additionalProperties } = schema
  if (type === 'array' && items === undefined) errors.push(required(`${path}.items`, 'must be specified'))
  for (const [place, part, partLevel] of partsOf(path, schema)) checkStructure(errors, place, part, partLevel)
  if (additionalProperties !== undefined && level === 'root')
    errors.push(forbiddenField(`${path}.additionalProperties`, 'must not be used at the root'))
  checkType(errors, `${path}.type`, schema, level)
  if (level === 'root')
    for (const name of ['kind', 'apiVersion']) {
      const property = schema.properties?.[name]
      const place = `${path}.properties[${name}].type`
      if (property !== undefined && property.type !== 'string')
        errors.push(invalidValue(place, property.type ?? '', 'must be string'))
    }
}

function checkType(errors: FieldError[], path: string, schema: JSONSchemaProps, level: Level): void {
  const { type = '' } = schema
  const isAnything =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (schema['x-kubernetes-embedded-resource'] === true && type !== 'object') {
    const text = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(path, text) : invalidValue(path, type, text))
  } else if (type === '' && !isAnything) errors.push(required(path, MISSING_TYPE[level]))
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalidValue(path, type, 'must be object at the root'))
}

function checkTypes(errors: FieldError[], path: string, schema: JSONSchemaProps): void {
  if (schema.type && !TYPES.includes(schema.type)) errors.push(notSupported(`${path}.type`, schema.type, TYPES))
  if (schema.uniqueItems === true)
    errors.push(
      forbiddenField(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  for (const [place, part] of partsOf(path, schema)) checkTypes(errors, place, part)
}

/** Schemas of parts of the value, with where they stand. */
function partsOf(path: string, schema: JSONSchemaProps): [string, JSONSchemaProps, Level][] {
  const parts: [string, JSONSchemaProps, Level][] = []
  if (isSchema(schema.items)) parts.push([`${path}.items`, schema.items, 'item'])
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    parts.push([`${path}.properties[${name}]`, property, 'field'])
  if (isSchema(schema.additionalProperties))
    parts.push([`${path}.additionalProperties`, schema.additionalProperties, 'field'])
  return parts
}

/** A boolean stands for "anything" or "nothing". */
function isSchema(value: unknown): value is JSONSchemaProps {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is wrong with `.spec.size` as a path to a field of the schema, or undefined. */
export function fieldPathProblem(path: string, schema: JSONSchemaProps): string | undefined {
  const names = path.split('.')
  if (names[0] !== '') return `is an invalid path: expected [ or . but got: ${/^[\w!]+|./.exec(path)?.[0] ?? ''}`
  let at: JSONSchemaProps | undefined = schema
  for (const name of names.slice(1)) at = at?.properties?.[name] ?? metadataSchema(name, at === schema)
  if (at === undefined) return 'is an invalid path: does not refer to a valid field'
  if (names[1] === 'metadata') return 'must not point to fields in metadata'
  if (['string', 'boolean', 'integer'].includes(at.type ?? '')) return undefined
  return 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
}

function metadataSchema(name: string, isRoot: boolean): JSONSchemaProps | undefined {
  if (!isRoot || name !== 'metadata') return undefined
  return { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }
}
