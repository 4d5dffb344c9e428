/** Writes the registered types as OpenAPI schemas, with the differences between version 2 and 3. */
import { allTypeNames, typeDataOf, type RegisteredType } from '#machinery/schema/registry.ts'
import { FLAGS, fullName, type FieldExtras, type FieldRow } from '#machinery/schema/schema-data.ts'
import type { GroupVersionKind } from '#api/kind.ts'
import { describeField, describeType } from './descriptions.ts'

export type Node = Record<string, unknown>

export type Dialect = {
  readonly version: 2 | 3
  /** `#/definitions/` or `#/components/schemas/`. */
  readonly refPrefix: string
}

export const OPENAPI_2: Dialect = { version: 2, refPrefix: '#/definitions/' }
export const OPENAPI_3: Dialect = { version: 3, refPrefix: '#/components/schemas/' }

const API_EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'

/** Types with a form of their own. */
const SPECIAL: Readonly<Record<string, Node>> = {
  [`${META}.Time`]: { type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { type: 'string', format: 'date-time' },
  [`${META}.FieldsV1`]: { type: 'object' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object' },
  [`${API_EXTENSIONS}.JSON`]: {},
  [`${API_EXTENSIONS}.JSONSchemaPropsOrArray`]: {},
  [`${API_EXTENSIONS}.JSONSchemaPropsOrBool`]: {},
  [`${API_EXTENSIONS}.JSONSchemaPropsOrStringArray`]: {},
}

const SCALARS: Readonly<Record<string, Node>> = {
  s: { type: 'string' },
  b: { type: 'boolean' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  d: { type: 'number', format: 'double' },
  y: { type: 'string', format: 'byte' },
  '*': { type: 'object' },
}

/** The schema of one type. `refs` collects the types that it refers to. */
export function renderSchema(name: string, dialect: Dialect, refs: Set<string>): Node {
  const description = describeType(name)
  const node = renderType(name, dialect, refs)
  return description === undefined ? node : { description, ...node }
}

function renderType(name: string, dialect: Dialect, refs: Set<string>): Node {
  const special = SPECIAL[name]
  if (special !== undefined) return special
  if (name === QUANTITY)
    return dialect.version === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] }
  if (name === INT_OR_STRING) {
    const format = { format: 'int-or-string' }
    return dialect.version === 2
      ? { ...format, type: 'string' }
      : { ...format, oneOf: [{ type: 'integer' }, { type: 'string' }] }
  }
  if (name === `${META}.Patch`) return { type: 'object' }
  return renderObject(name, dialect, refs)
}

function renderObject(name: string, dialect: Dialect, refs: Set<string>): Node {
  const { data } = typeDataOf(name)
  const properties: Record<string, Node> = {}
  const required: string[] = []
  for (const { row, type } of flatFields(name)) {
    properties[row[0]] = renderField(row, type, { name, dialect, refs })
    if ((row[2] & FLAGS.required) !== 0) required.push(row[0])
  }
  const kinds = data.kinds?.map(parseKind)
  return {
    type: 'object',
    ...(Object.keys(properties).length === 0 ? {} : { properties: sortKeys(properties) }),
    ...(required.length === 0 ? {} : { required }),
    ...(kinds === undefined ? {} : { 'x-kubernetes-group-version-kind': kinds }),
    ...(data.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(data.unions === undefined ? {} : { 'x-kubernetes-unions': data.unions }),
  }
}

const sortKeys = (object: Record<string, Node>): Record<string, Node> =>
  Object.fromEntries(Object.entries(object).toSorted(([one], [other]) => (one < other ? -1 : 1)))

export function parseKind(text: string): GroupVersionKind {
  const [group, version, kind] = text.split('/')
  return { group: group!, version: version!, kind: kind! }
}

/** The fields of a type with those of embedded types in their place. */
function flatFields(name: string): { row: FieldRow; type: RegisteredType }[] {
  const type = typeDataOf(name)
  return (type.data.fields ?? []).flatMap((row) =>
    (row[2] & FLAGS.inline) === 0 ? [{ row, type }] : flatFields(fullName(row[1], type.packages)),
  )
}

type Place = { readonly name: string; readonly dialect: Dialect; readonly refs: Set<string> }

function renderField([field, ref, , , extras = {}]: FieldRow, { packages }: RegisteredType, place: Place): Node {
  const { dialect } = place
  const node = withEnum(renderRef(ref, packages, place), extras)
  const siblings: Node = {
    ...optional('description', describeField(place.name, field)),
    ...(dialect.version === 3 && 'default' in extras ? { default: extras.default } : {}),
    ...optional('x-kubernetes-list-type', extras.listType),
    ...optional('x-kubernetes-list-map-keys', extras.listMapKeys),
    ...optional('x-kubernetes-map-type', extras.mapType),
    ...optional('x-kubernetes-patch-strategy', extras.openApiPatchStrategy ?? extras.patchStrategy),
    ...optional('x-kubernetes-patch-merge-key', extras.openApiPatchMergeKey ?? extras.patchMergeKey),
  }
  // Version 3 allows nothing beside a reference.
  if (dialect.version === 3 && '$ref' in node && Object.keys(siblings).length > 0) return { allOf: [node], ...siblings }
  return { ...node, ...siblings }
}

const optional = (name: string, value: unknown): Node => (value === undefined || value === '' ? {} : { [name]: value })

/** Allowed values stand at the string itself: in the items of a list, in the values of a map. */
function withEnum(node: Node, { enum: values }: FieldExtras): Node {
  if (values === undefined) return node
  if (node['items'] !== undefined) return { ...node, items: { ...(node['items'] as Node), enum: values } }
  if (node['additionalProperties'] !== undefined)
    return { ...node, additionalProperties: { ...(node['additionalProperties'] as Node), enum: values } }
  return { ...node, enum: values }
}

function renderRef(ref: string, packages: readonly string[], place: Place): Node {
  if (ref.startsWith('[]')) return { type: 'array', items: renderRef(ref.slice(2), packages, place) }
  if (ref.startsWith('{}')) return { type: 'object', additionalProperties: renderRef(ref.slice(2), packages, place) }
  const scalar = SCALARS[ref]
  if (scalar !== undefined) return scalar
  const name = fullName(ref, packages)
  const { data, packages: itsPackages } = typeDataOf(name)
  if (data.wrapper !== undefined) return renderRef(data.wrapper, itsPackages, place)
  place.refs.add(name)
  return { $ref: `${place.dialect.refPrefix}${name}` }
}

/** The schemas of the named types and of all that they refer to. */
export function collectSchemas(names: Iterable<string>, dialect: Dialect): Record<string, Node> {
  const schemas: Record<string, Node> = {}
  const waiting = [...names]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (schemas[name] !== undefined) continue
    const refs = new Set<string>()
    schemas[name] = renderSchema(name, dialect, refs)
    waiting.push(...refs)
  }
  return sortKeys(schemas)
}

/** `apps/v1/Deployment` -> full name of the type, for all kinds that one type alone is registered for. */
export function indexKinds(): Map<string, string> {
  const index = new Map<string, string>()
  for (const name of allTypeNames()) {
    const { kinds } = typeDataOf(name).data
    if (kinds?.length === 1) index.set(kinds[0]!, name)
  }
  return index
}
