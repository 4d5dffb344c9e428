/** Turns one type of the committed data into a Schema; its fields are compiled when first looked into. */
import { FLAGS, fullName, type FieldExtras, type FieldRow, type TypeData } from './schema-data.ts'
import type { FieldSchema, ListSchema, MapSchema, ObjectSchema, ScalarSchema, ScalarType, Schema } from './schema.ts'

export type CompileContext = {
  readonly packages: readonly string[]
  /** The schema of another type by its full name. */
  schemaOf(name: string): Schema
}

const API_EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** Types with a JSON form of their own. */
const SPECIAL: Readonly<Record<string, ScalarSchema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'quantity', goType: 'resource.Quantity' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': { type: 'time', goType: 'v1.Time' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { type: 'micro-time', goType: 'v1.MicroTime' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': { type: 'any', goType: 'v1.FieldsV1' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': { type: 'any', goType: 'v1.Patch' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'any', goType: 'runtime.RawExtension' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'int-or-string', goType: 'intstr.IntOrString' },
  [`${API_EXTENSIONS}.JSON`]: { type: 'any', goType: 'v1.JSON' },
}

const SCALARS: Readonly<Record<string, ScalarSchema>> = {
  s: { type: 'string' },
  b: { type: 'boolean' },
  i: { type: 'int32' },
  l: { type: 'int64' },
  d: { type: 'double' },
  y: { type: 'bytes' },
  '*': { type: 'any' },
}

/** `io.k8s.api.core.v1.Pod` -> `v1.Pod`, as Go prints a type. */
export function goTypeName(name: string): string {
  return name.split('.').slice(-2).join('.')
}

/** A JSON schema, or something shorter: a boolean, a list of names, a list of schemas. */
const IS_SCHEMA_UNION = new RegExp(`^${API_EXTENSIONS}\\.JSONSchemaPropsOr(?:Array|Bool|StringArray)$`)

export function compileType(name: string, data: TypeData, context: CompileContext): Schema {
  const special = SPECIAL[name]
  if (special) return special
  if (IS_SCHEMA_UNION.test(name)) {
    const objectForm = (): ObjectSchema => context.schemaOf(`${API_EXTENSIONS}.JSONSchemaProps`) as ObjectSchema
    return { type: 'any', goType: goTypeName(name), objectForm }
  }
  if (data.wrapper !== undefined) {
    const items = compileRef(data.wrapper, context)
    return { ...(items as ListSchema), goType: goTypeName(name) }
  }
  return new LazyObjectSchema(name, data, context)
}

/** An object schema that compiles its fields on first use: recursive types need it, and start-up is cheaper. */
class LazyObjectSchema implements ObjectSchema {
  readonly type = 'object'
  readonly name: string
  readonly mapType: 'granular' | 'atomic'
  readonly preserveUnknown = false
  readonly #data: TypeData
  readonly #context: CompileContext
  #fields: ReadonlyMap<string, FieldSchema> | undefined

  constructor(name: string, data: TypeData, context: CompileContext, mapType = data.atomic ? 'atomic' : 'granular') {
    this.name = name
    this.mapType = mapType === 'atomic' ? 'atomic' : 'granular'
    this.#data = data
    this.#context = context
  }

  get fields(): ReadonlyMap<string, FieldSchema> {
    this.#fields ??= compileFields(this.#data.fields ?? [], this.#context)
    return this.#fields
  }

  /** The same type where a field says that it merges in another way than the type itself. */
  withMapType(mapType: string): ObjectSchema {
    return new LazyObjectSchema(this.name, this.#data, this.#context, mapType)
  }
}

function compileFields(rows: readonly FieldRow[], context: CompileContext): Map<string, FieldSchema> {
  const fields = new Map<string, FieldSchema>()
  for (const row of rows) {
    const [name, type, flags, , extras = {}] = row
    if ((flags & FLAGS.inline) === 0) fields.set(name, compileField(row, compileRef(type, context, extras)))
    else {
      const owner = context.schemaOf(fullName(type, context.packages)) as ObjectSchema
      const ownerName = owner.name.slice(owner.name.lastIndexOf('.') + 1)
      for (const field of owner.fields.values())
        fields.set(field.name, { ...field, embeddedIn: [ownerName, ...(field.embeddedIn ?? [])] })
    }
  }
  return fields
}

function compileField([name, , flags, , extras = {}]: FieldRow, schema: Schema): FieldSchema {
  return {
    name,
    schema,
    required: (flags & FLAGS.required) !== 0,
    pointer: (flags & FLAGS.pointer) !== 0,
    omitEmpty: (flags & FLAGS.omitEmpty) !== 0,
    ...((flags & FLAGS.omitZero) === 0 ? {} : { omitZero: true }),
    ...((flags & FLAGS.typeMeta) === 0 ? {} : { embeddedIn: ['TypeMeta'] }),
    ...('default' in extras ? { default: extras.default } : {}),
    ...(extras.patchStrategy === undefined ? {} : { patchStrategy: extras.patchStrategy }),
    ...(extras.patchMergeKey === undefined ? {} : { patchMergeKey: extras.patchMergeKey }),
  }
}

function compileRef(ref: string, context: CompileContext, extras: FieldExtras = {}): Schema {
  if (ref.startsWith('[]')) return compileList(ref.slice(2), context, extras)
  if (ref.startsWith('{}')) return compileMap(ref.slice(2), context, extras)
  const scalar = SCALARS[ref]
  if (scalar !== undefined) return withGoType(scalar, extras, context)
  const schema = context.schemaOf(fullName(ref, context.packages))
  if (schema instanceof LazyObjectSchema && extras.mapType !== undefined && extras.mapType !== schema.mapType)
    return schema.withMapType(extras.mapType)
  return schema
}

function withGoType(scalar: ScalarSchema, { go }: FieldExtras, { packages }: CompileContext): ScalarSchema {
  return go === undefined ? scalar : { type: scalar.type as ScalarType, goType: goTypeName(fullName(go, packages)) }
}

function compileList(items: string, context: CompileContext, extras: FieldExtras): ListSchema {
  const listType = extras.listType
  // For a list of scalars the named type is that of the items, for one of objects that of the list itself.
  const namesItems = SCALARS[items] !== undefined
  return {
    type: 'list',
    items: compileRef(items, context, namesItems ? extras : {}),
    listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
    listMapKeys: extras.listMapKeys ?? [],
    ...(extras.go !== undefined && !namesItems ? { goType: goTypeName(fullName(extras.go, context.packages)) } : {}),
  }
}

function compileMap(values: string, context: CompileContext, extras: FieldExtras): MapSchema {
  const goType =
    extras.goMap ?? (extras.go === undefined ? undefined : goTypeName(fullName(extras.go, context.packages)))
  return {
    type: 'map',
    values: compileRef(values, context),
    mapType: extras.mapType === 'atomic' ? 'atomic' : 'granular',
    ...(goType === undefined ? {} : { goType }),
  }
}
