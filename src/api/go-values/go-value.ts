/** Turns values of the API into what Go holds in kube-apiserver's internal types, as messages show them: every field, by its Go name. */
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { FieldSchema, ListSchema, ObjectSchema, ScalarSchema, Schema } from '#machinery/schema/schema.ts'
import { isFilled, wasSentEmpty, zeroOfScalar } from '#machinery/schema/zero-values.ts'
import type { GoNode } from './go-json.ts'
import { INTERNAL_TYPES } from './internal-types.gen.ts'

type Fields = Readonly<Record<string, unknown>>

/** Adds one field of the internal type to the node of an object. */
type FieldWriter = (node: Map<string, GoNode>, owner: Fields) => void

const writers = new Map<string, readonly FieldWriter[] | null>()

export function goValueOf(schema: Schema, value: unknown): GoNode {
  if (value === undefined || value === null) return zeroOf(schema)
  switch (schema.type) {
    case 'object':
      return objectOf(schema, value as Fields)
    case 'list':
      return listOf(schema, value as readonly unknown[])
    case 'map':
      return isFilled(value) ? null : mapOf(value as Fields, (item) => goValueOf(schema.values, item))
    case 'any':
      return unionOf(schema, value)
    default:
      return value as GoNode
  }
}

function objectOf(schema: ObjectSchema, value: Fields): GoNode {
  const fields = writersOf(schema)
  // Types of meta/v1 have no internal form: Go writes them as the API does.
  if (fields === null) return plainNode(normalize(schema, value))
  const node = new Map<string, GoNode>()
  for (const write of fields) write(node, value)
  return node
}

function listOf(schema: ListSchema, items: readonly unknown[]): GoNode {
  return isFilled(items) ? null : items.map((item) => goValueOf(schema.items, item))
}

/** The two places in which the internal types of a JSON schema hold what is either a schema or something shorter. */
const UNIONS: Readonly<Record<string, (value: unknown, schema: GoNode) => GoNode>> = {
  'v1.JSONSchemaPropsOrBool': (value, schema) =>
    new Map([
      ['Allows', value !== false],
      ['Schema', schema],
    ]),
  'v1.JSONSchemaPropsOrArray': (value, schema) =>
    new Map([
      ['Schema', schema],
      ['JSONSchemas', null],
    ]),
  'v1.JSONSchemaPropsOrStringArray': (value, schema) =>
    new Map([
      ['Schema', schema],
      ['Property', Array.isArray(value) ? plainNode(value) : null],
    ]),
}

function unionOf(schema: ScalarSchema, value: unknown): GoNode {
  const union = UNIONS[schema.goType ?? '']
  if (union === undefined || schema.objectForm === undefined) return plainNode(value)
  const isSchema = typeof value === 'object' && !Array.isArray(value)
  return union(value, isSchema ? goValueOf(schema.objectForm(), value) : null)
}

/** Go writes maps in the order of their keys' bytes. */
function mapOf(value: Fields, nodeOf: (item: unknown) => GoNode): GoNode {
  const names = Object.keys(value).toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
  return new Map(names.map((name) => [name, nodeOf(value[name])]))
}

/** What no type describes, in its own order. */
export function plainNode(value: unknown): GoNode {
  if (Array.isArray(value)) return value.map(plainNode)
  if (typeof value !== 'object' || value === null) return value as GoNode
  return new Map(Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, plainNode(item)]])))
}

/** What Go holds where the client sent nothing. */
const zeroOf = (schema: Schema): GoNode => (schema.type === 'object' ? objectOf(schema, {}) : zeroOfScalar(schema.type))

/** What Go holds in a field; `isPlain`: its internal type is no pointer, so that nothing is a zero value there. */
export function goFieldOf(owner: Fields, field: FieldSchema, isPlain = false): GoNode {
  const value = owner[field.name]
  const isEmptyBytes = value === '' && field.schema.type === 'bytes'
  if (value !== undefined && value !== null && !isEmptyBytes) return goValueOf(field.schema, value)
  if (wasSentEmpty(owner, field.name)) return emptyOf(field.schema)
  return field.pointer && !isPlain ? null : zeroOf(field.schema)
}

function emptyOf({ type }: Schema): GoNode {
  return type === 'list' ? [] : type === 'map' ? new Map() : ''
}

/** Null for a type without an internal form. */
function writersOf(schema: ObjectSchema): readonly FieldWriter[] | null {
  let fields = writers.get(schema.name)
  if (fields === undefined) {
    const facts = INTERNAL_TYPES[schema.name]
    fields = facts === undefined ? null : facts.split(' ').flatMap((fact) => compile(schema, fact))
    writers.set(schema.name, fields)
  }
  return fields
}

const FACT = /^(?<name>\w+)(?::(?<field>[^!=]+))?(?<plain>!)?(?:=(?<value>.+))?$/
const CONSTANTS: Readonly<Record<string, GoNode>> = { null: null, '0': 0, false: false, "''": '' }

/** None for a struct without fields. */
function compile(schema: ObjectSchema, fact: string): FieldWriter[] {
  if (fact === '') return []
  if (fact === '...metadata') return [writeMetadata]
  const { name, field: given, plain, value } = FACT.exec(fact)!.groups!
  if (value !== undefined) return [(node) => node.set(name!, CONSTANTS[value]!)]
  const field = schema.fields.get(given ?? `${name![0]!.toLowerCase()}${name!.slice(1)}`)
  // Fields that only another feature gate would serve hold nothing.
  if (field === undefined) return [(node) => node.set(name!, null)]
  return [(node, owner) => node.set(name!, goFieldOf(owner, field, plain !== undefined))]
}

function writeMetadata(node: Map<string, GoNode>, owner: Fields): void {
  const metadata = objectOf(
    schemaOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'),
    (owner['metadata'] ?? {}) as Fields,
  )
  for (const [name, value] of metadata as Map<string, GoNode>) node.set(name, value)
}
