/** Merges the recorded OpenAPI schemas with the recorded protobuf facts into compact schema data: one JSON file per group version. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FieldExtras, FieldRow, SchemaFile, TypeData } from '../../src/machinery/schema/schema-data.ts'
import { GO_FIELD_ORDER } from './go-field-order.ts'
import { GO_ITEM_TYPES, GO_MAP_TYPES } from './go-type-names.ts'
import { FLAGS } from '../../src/machinery/schema/schema-data.ts'

type Node = {
  type?: string
  format?: string
  $ref?: string
  allOf?: { $ref: string }[]
  items?: Node
  additionalProperties?: Node
  default?: unknown
  enum?: unknown[]
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: string
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-patch-merge-key'?: string
}
type Definition = Node & {
  required?: string[]
  properties?: Record<string, Node>
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
  'x-kubernetes-unions'?: unknown[]
}
type ProtoField = {
  json: string
  type: string
  proto?: number
  wire?: string
  name?: string
  go?: string
  repeated?: boolean
  pointer?: boolean
  omitempty?: boolean
  omitzero?: boolean
  inline?: boolean
  noProto?: boolean
  mapValue?: string
  mapValueRepeated?: boolean
  patchStrategy?: string
  patchMergeKey?: string
  /** The type that has the field. */
  owner?: string
}
type ProtoType = { fields: ProtoField[]; wrapper?: boolean; special?: boolean }

/** Packages whose types all live in one file of the machinery. */
const META_PACKAGES = [
  'io.k8s.apimachinery.pkg.apis.meta.v1',
  'io.k8s.apimachinery.pkg.api.resource',
  'io.k8s.apimachinery.pkg.runtime',
  'io.k8s.apimachinery.pkg.util.intstr',
  'io.k8s.apimachinery.pkg.version',
]
/** Kinds of meta/v1 that no OpenAPI document shows. */
const KINDS_WITHOUT_OPENAPI = new Set(
  [
    'CreateOptions',
    'GetOptions',
    'ListOptions',
    'PatchOptions',
    'UpdateOptions',
    'TableOptions',
    'PartialObjectMetadata',
    'PartialObjectMetadataList',
    'Table',
  ].map((kind) => `${META_PACKAGES[0]}.${kind}`),
)
const META_FILE = 'machinery/meta/v1.schema.gen.json'
const SCALARS: Record<string, string> = {
  string: 's',
  bool: 'b',
  int32: 'i',
  int64: 'l',
  double: 'd',
  bytes: 'y',
  interface: '*',
}

const packageOf = (name: string): string => name.slice(0, name.lastIndexOf('.'))
const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

function fileOfPackage(name: string): string {
  if (META_PACKAGES.includes(name)) return META_FILE
  const [group, version] = name.split('.').slice(-2)
  return `api/${group}/${version}.schema.gen.json`
}

/** All facts of the served types: path of the file below src/ -> its data. */
export function buildSchemaFiles(factsDir: string): Map<string, SchemaFile> {
  const facts = readFacts(factsDir)
  const files = new Map<string, SchemaFile>()
  for (const name of namesToKeep(facts).toSorted()) {
    const path = fileOfPackage(packageOf(name))
    let file = files.get(path)
    if (!file) {
      const packages = path === META_FILE ? [...META_PACKAGES] : [packageOf(name)]
      files.set(path, (file = { packages, types: {} }))
    }
    file.types[refTo(name, file.packages)] = buildType(name, facts, file.packages)
  }
  return files
}

type Facts = {
  openapi: Map<string, Definition>
  proto: Record<string, ProtoType>
  /** What owners say of the fields of embedded types that OpenAPI does not show by themselves. */
  embedded: Map<string, Definition>
}

function readFacts(factsDir: string): Facts {
  const openapi = new Map<string, Definition>()
  for (const folder of ['openapi/v3-off-by-default', 'openapi/v3']) readSchemas(join(factsDir, folder), openapi)
  // These two list the group versions they are registered in, and only the v2 document lists all of them.
  const v2 = JSON.parse(readFileSync(join(factsDir, 'openapi/v2-definitions.json'), 'utf8')) as Record<
    string,
    Definition
  >
  for (const name of ['DeleteOptions', 'WatchEvent']) {
    const full = `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`
    const kinds = v2[full]!['x-kubernetes-group-version-kind']!
    openapi.set(full, { ...openapi.get(full)!, 'x-kubernetes-group-version-kind': kinds })
  }
  const { types } = JSON.parse(readFileSync(join(factsDir, 'protobuf.json'), 'utf8')) as {
    types: Record<string, ProtoType>
  }
  return { openapi, proto: types, embedded: findEmbedded(openapi, types) }
}

function readSchemas(folder: string, into: Map<string, Definition>): void {
  for (const file of readdirSync(folder)) {
    const schemas = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, Definition>
    for (const [name, definition] of Object.entries(schemas)) into.set(name, definition)
  }
}

function findEmbedded(openapi: Map<string, Definition>, proto: Record<string, ProtoType>): Map<string, Definition> {
  const embedded = new Map<string, Definition>()
  const inherit = (name: string, { properties = {}, required = [] }: Definition): void => {
    for (const { inline, type } of proto[name]?.fields ?? []) {
      if (!inline || openapi.has(type)) continue
      embedded.set(type, { properties, required })
      inherit(type, { properties, required })
    }
  }
  for (const [name, definition] of openapi) inherit(name, definition)
  return embedded
}

/** The fields of a type in the order of the Go struct. */
function inGoOrder(name: string, fields: readonly ProtoField[]): readonly ProtoField[] {
  const order = GO_FIELD_ORDER[name]?.split(' ')
  if (order === undefined) return fields
  const nameOf = ({ json, type }: ProtoField): string => (json === '' ? `~${shortName(type)}` : json)
  return fields.toSorted((one, other) => order.indexOf(nameOf(one)) - order.indexOf(nameOf(other)))
}

/** What OpenAPI shows, what that refers to on the wire, and every type of meta/v1. */
function namesToKeep({ openapi, proto }: Facts): string[] {
  const keep = new Set<string>()
  const visit = (name: string): void => {
    if (keep.has(name)) return
    keep.add(name)
    for (const field of proto[name]?.fields ?? [])
      for (const type of [field.type, field.mapValue]) if (type !== undefined && proto[type] !== undefined) visit(type)
  }
  for (const name of openapi.keys()) visit(name)
  for (const name of Object.keys(proto)) if (META_PACKAGES.includes(packageOf(name))) visit(name)
  return [...keep]
}

function refTo(name: string, packages: string[]): string {
  const owner = packageOf(name)
  let position = packages.indexOf(owner)
  if (position < 0) position = packages.push(owner) - 1
  return position === 0 ? shortName(name) : `${position}.${shortName(name)}`
}

function buildType(name: string, { openapi, proto, embedded }: Facts, packages: string[]): TypeData {
  const definition = openapi.get(name)
  const wire = proto[name]
  const data: TypeData = {}
  if (wire?.wrapper) data.wrapper = refToType(wire.fields[0]!, packages)
  if (definition === undefined) data.hidden = true
  const kinds = definition?.['x-kubernetes-group-version-kind']
  if (kinds) data.kinds = kinds.map(({ group, version, kind }) => `${group}/${version}/${kind}`)
  if (definition?.['x-kubernetes-map-type'] === 'atomic') data.atomic = true
  if (definition?.['x-kubernetes-unions']) data.unions = definition['x-kubernetes-unions']
  if (wire?.special || wire?.wrapper) return data
  const { properties = {}, required: requiredNames = [] } = definition ?? embedded.get(name) ?? {}
  const required = new Set(requiredNames)
  const rows: FieldRow[] = []
  for (const typeMeta of ['kind', 'apiVersion'])
    if (
      (properties[typeMeta] || KINDS_WITHOUT_OPENAPI.has(name)) &&
      !wire?.fields.some((field) => field.json === typeMeta)
    )
      rows.push([typeMeta, 's', FLAGS.omitEmpty | FLAGS.typeMeta])
  if (wire)
    for (const field of inGoOrder(name, wire.fields))
      rows.push(buildRow(withGoNames(name, field), properties[field.json], required, packages))
  else
    for (const key of new Set([...requiredNames, ...Object.keys(properties)]))
      rows.push(openApiRow(key, properties[key]!, required, packages))
  data.fields = rows
  return data
}

function withGoNames(owner: string, field: ProtoField): ProtoField {
  const items = GO_ITEM_TYPES[`${owner}.${field.json}`]
  return { ...field, ...(items === undefined ? {} : { go: items }), owner }
}

function buildRow(field: ProtoField, property: Node | undefined, required: Set<string>, packages: string[]): FieldRow {
  let flags = 0
  if (field.pointer) flags |= FLAGS.pointer
  if (field.omitempty) flags |= FLAGS.omitEmpty
  if (field.omitzero) flags |= FLAGS.omitZero
  if (field.inline) flags |= FLAGS.inline
  if (required.has(field.json)) flags |= FLAGS.required
  const row: FieldRow = [field.json, refToType(field, packages), flags]
  const extras = buildExtras(field, property, packages)
  if (field.proto !== undefined || extras) row.push(field.proto ?? 0)
  if (extras) row.push(extras)
  return row
}

/** `version.Info` is the one type that has no protobuf form. */
function openApiRow(key: string, property: Node, required: Set<string>, packages: string[]): FieldRow {
  assertNode(property.type === 'string', key)
  const flags = required.has(key) ? FLAGS.required : FLAGS.omitEmpty
  const extras = buildExtras({ json: key, type: 'string' }, property, packages)
  return extras ? [key, 's', flags, 0, extras] : [key, 's', flags]
}

function assertNode(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Facts have a form that the generator does not know: ${what}`)
}

function refToType(field: ProtoField, packages: string[]): string {
  const one = (type: string): string => SCALARS[type] ?? refTo(type, packages)
  if (field.type === 'map') return `{}${field.mapValueRepeated ? '[]' : ''}${one(field.mapValue!)}`
  return `${field.repeated ? '[]' : ''}${one(field.type)}`
}

function buildExtras(field: ProtoField, property: Node | undefined, packages: string[]): FieldExtras | undefined {
  const extras: FieldExtras = {}
  if (field.go) extras.go = refTo(field.go, packages)
  const goMap = GO_MAP_TYPES[`${field.owner}.${field.json}`]
  if (goMap !== undefined) extras.goMap = goMap
  if (field.inline && field.name !== undefined) extras.wireName = field.name
  if (field.wire !== undefined && field.wire !== naturalWire(field)) extras.wire = field.wire
  if (field.patchStrategy) extras.patchStrategy = field.patchStrategy
  if (field.patchMergeKey) extras.patchMergeKey = field.patchMergeKey
  if (property) {
    if (property['x-kubernetes-list-type']) extras.listType = property['x-kubernetes-list-type']
    if (property['x-kubernetes-list-map-keys']) extras.listMapKeys = property['x-kubernetes-list-map-keys']
    if (property['x-kubernetes-map-type']) extras.mapType = property['x-kubernetes-map-type']
    if (property['x-kubernetes-patch-strategy'] !== field.patchStrategy)
      extras.openApiPatchStrategy = property['x-kubernetes-patch-strategy'] ?? ''
    if (property['x-kubernetes-patch-merge-key'] !== field.patchMergeKey)
      extras.openApiPatchMergeKey = property['x-kubernetes-patch-merge-key'] ?? ''
    if ('default' in property) extras.default = property.default
    const values = property.enum ?? property.items?.enum ?? property.additionalProperties?.enum
    if (values) extras.enum = values as string[]
  }
  return Object.keys(extras).length === 0 ? undefined : extras
}

function naturalWire(field: ProtoField): string {
  if (field.repeated || field.type === 'map') return 'bytes'
  if (field.type === 'double') return 'fixed64'
  return ['int32', 'int64', 'bool'].includes(field.type) ? 'varint' : 'bytes'
}

/** JSON with one type a line, so that a change of version shows as a readable difference. */
export function renderSchemaFile(file: SchemaFile): string {
  const types = Object.entries(file.types).map(([name, data]) => `${JSON.stringify(name)}:${JSON.stringify(data)}`)
  return `{"packages":${JSON.stringify(file.packages)},\n"types":{\n${types.join(',\n')}\n}}\n`
}
