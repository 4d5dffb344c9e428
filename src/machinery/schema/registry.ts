/** All built-in schemas by name: read from the committed data when first asked for, compiled when first looked into. */
import { readFileSync } from 'node:fs'
import assert from 'node:assert'
import { compileType } from './compile.ts'
import { fullName, type SchemaFile, type TypeData } from './schema-data.ts'
import type { ObjectSchema, Schema } from './schema.ts'

/** Where the types of some Go packages are to be found. */
export type SchemaSource = {
  /** `io.k8s.api.core.v1`, … */
  readonly packages: readonly string[]
  load(): SchemaFile
}

/** A type as the data holds it, for those who need more than a Schema tells (OpenAPI, protobuf). */
export type RegisteredType = { readonly data: TypeData; readonly packages: readonly string[] }

const sources = new Map<string, SchemaSource>()
const loaded = new Map<SchemaSource, Map<string, RegisteredType>>()
const compiled = new Map<string, Schema>()

/** Makes the types of these packages known; a package that is known already is left as it is. */
export function registerSchemas(added: readonly SchemaSource[]): void {
  for (const source of added) for (const name of source.packages) if (!sources.has(name)) sources.set(name, source)
}

/** A source that reads one `*.schema.gen.json` file. */
export function schemaFile(path: URL, packages: readonly string[]): SchemaSource {
  return { packages, load: () => JSON.parse(readFileSync(path, 'utf8')) as SchemaFile }
}

registerSchemas([
  schemaFile(new URL('../meta/v1.schema.gen.json', import.meta.url), [
    'io.k8s.apimachinery.pkg.apis.meta.v1',
    'io.k8s.apimachinery.pkg.api.resource',
    'io.k8s.apimachinery.pkg.runtime',
    'io.k8s.apimachinery.pkg.util.intstr',
    'io.k8s.apimachinery.pkg.version',
  ]),
])

/** The schema of a type by its full name; the same object each time. */
export function schemaOf(name: string): ObjectSchema {
  const schema = schemaOfType(name)
  assert(schema.type === 'object', `${name} is no object type`)
  return schema
}

/** Like schemaOf, for types that are no objects as well (quantities, times, named lists). */
export function schemaOfType(name: string): Schema {
  let schema = compiled.get(name)
  if (schema === undefined) {
    const { data, packages } = typeDataOf(name)
    schema = compileType(name, data, { packages, schemaOf: schemaOfType })
    compiled.set(name, schema)
  }
  return schema
}

export function hasSchema(name: string): boolean {
  return typesOf(name)?.has(name) === true
}

export function typeDataOf(name: string): RegisteredType {
  const type = typesOf(name)?.get(name)
  assert(type !== undefined, `No schema is registered under the name ${name}`)
  return type
}

/** The types of the source that holds the named type. */
function typesOf(name: string): Map<string, RegisteredType> | undefined {
  const source = sources.get(name.slice(0, name.lastIndexOf('.')))
  if (source === undefined) return undefined
  let types = loaded.get(source)
  if (types === undefined) {
    const file = source.load()
    types = new Map()
    for (const [ref, data] of Object.entries(file.types))
      types.set(fullName(ref, file.packages), { data, packages: file.packages })
    loaded.set(source, types)
  }
  return types
}

/** Names of all registered types, which loads every file: for OpenAPI and tests. */
export function allTypeNames(): string[] {
  const names = new Set<string>()
  for (const owner of sources.keys()) for (const name of typesOf(`${owner}.`)!.keys()) names.add(name)
  return [...names]
}
