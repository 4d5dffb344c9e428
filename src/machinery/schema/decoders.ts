/** Compiles a schema into closures that check and clean a parsed JSON value. */
import { formatQuantity, QuantityError } from '../quantity.ts'
import { DecodeError } from './decode-error.ts'
import { NumberText, setField } from './exact-json.ts'
import { goTypeOf } from './go-types.ts'
import {
  INT32_MAX,
  INT32_MIN,
  INT64_MAX,
  INT64_MIN,
  normalizeBase64,
  normalizeMicroTime,
  normalizeTime,
} from './scalars.ts'
import type { FieldSchema, ListSchema, MapSchema, ObjectSchema, ScalarSchema, Schema } from './schema.ts'
import { isDroppedWhenZero, isFilledWhenAbsent, noteSentEmpty, zeroOf } from './zero-values.ts'

export type DecodeContext = {
  /** Where the decoder stands: fields, list positions and map keys. */
  readonly path: (FieldStep | number | string)[]
  /** Null: unknown fields are dropped in silence. */
  readonly problems: string[] | null
  readonly fillZeros: boolean
}

/** A field on the path, with what error texts say of it. */
export type FieldStep = {
  readonly field: FieldSchema
  readonly ownerName: string
  readonly decode: Decoder
  readonly dropsZero: boolean
}

/** Gives the clean value, or undefined for null and absent. */
export type Decoder = (value: unknown, context: DecodeContext) => unknown

const decoders = new WeakMap<Schema, Decoder>()

export function decoderOf(schema: Schema): Decoder {
  let decoder = decoders.get(schema)
  if (decoder === undefined) decoders.set(schema, (decoder = compileDecoder(schema)))
  return decoder
}

function compileDecoder(schema: Schema): Decoder {
  if (schema.type === 'object') return compileObject(schema)
  if (schema.type === 'list') return compileList(schema)
  if (schema.type === 'map') return compileMap(schema)
  return compileScalar(schema)
}

type ObjectPlan = { readonly steps: ReadonlyMap<string, FieldStep>; readonly fills: readonly FieldSchema[] }

function planObject(schema: ObjectSchema): ObjectPlan {
  const ownerName = schema.name.slice(schema.name.lastIndexOf('.') + 1)
  const steps = new Map<string, FieldStep>()
  const fills: FieldSchema[] = []
  for (const field of schema.fields.values()) {
    const dropsZero = isDroppedWhenZero(field)
    steps.set(field.name, { field, ownerName, decode: decoderOf(field.schema), dropsZero })
    if (isFilledWhenAbsent(field)) fills.push(field)
  }
  return { steps, fills }
}

function compileObject(schema: ObjectSchema): Decoder {
  let plan: ObjectPlan | undefined
  return (value, context) => {
    if (value === null || value === undefined) return undefined
    if (!isObject(value)) throw typeError(value, schema, context)
    plan ??= planObject(schema)
    const object: Record<string, unknown> = {}
    for (const name in value) {
      const step = plan.steps.get(name)
      if (step === undefined) keepOrDrop(object, name, { value: value[name], schema, context })
      else {
        context.path.push(step)
        const decoded = step.decode(value[name], context)
        context.path.pop()
        if (decoded === undefined) continue
        if (!step.dropsZero || !context.fillZeros || !isZero(decoded)) object[name] = decoded
        else if (typeof decoded === 'object') noteSentEmpty(object, name)
        if (decoded === '' && step.field.schema.type === 'bytes') noteSentEmpty(object, name)
      }
    }
    if (context.fillZeros)
      for (const field of plan.fills) if (object[field.name] === undefined) object[field.name] = zeroOf(field.schema)
    return object
  }
}

type UnknownField = { readonly value: unknown; readonly schema: ObjectSchema; readonly context: DecodeContext }

function keepOrDrop(object: Record<string, unknown>, name: string, { value, schema, context }: UnknownField): void {
  if (value === undefined) return
  if (schema.preserveUnknown) setField(object, name, plainAny(value))
  else context.problems?.push(`unknown field ${JSON.stringify(formatPath([...context.path, name]))}`)
}

function compileList(schema: ListSchema): Decoder {
  const decodeItem = decoderOf(schema.items)
  return (value, context) => {
    if (value === null || value === undefined) return undefined
    if (!Array.isArray(value)) throw typeError(value, schema, context)
    const list: unknown[] = []
    for (let position = 0; position < value.length; position++) {
      context.path.push(position)
      const item = decodeItem(value[position], context)
      context.path.pop()
      list.push(item === undefined ? zeroItem(schema.items, context) : item)
    }
    return list
  }
}

function compileMap(schema: MapSchema): Decoder {
  const decodeItem = decoderOf(schema.values)
  return (value, context) => {
    if (value === null || value === undefined) return undefined
    if (!isObject(value)) throw typeError(value, schema, context)
    const map: Record<string, unknown> = {}
    for (const name in value) {
      context.path.push(name)
      const item = decodeItem(value[name], context)
      context.path.pop()
      setField(map, name, item === undefined ? zeroItem(schema.values, context) : item)
    }
    return map
  }
}

/** What Go holds for a null inside a list or a map. */
function zeroItem(schema: Schema, { fillZeros }: DecodeContext): unknown {
  if (schema.type === 'object') return fillZeros ? zeroOf(schema) : {}
  return zeroOf(schema)
}

function compileScalar(schema: ScalarSchema): Decoder {
  const decode = SCALARS[schema.type]
  return (value, context) => (value === null || value === undefined ? undefined : decode(value, schema, context))
}

type ScalarDecoder = (value: {}, schema: ScalarSchema, context: DecodeContext) => unknown

const SCALARS: Readonly<Record<ScalarSchema['type'], ScalarDecoder>> = {
  string: (value, schema, context) => {
    if (typeof value === 'string') return value
    throw typeError(value, schema, context)
  },
  boolean: (value, schema, context) => {
    if (typeof value === 'boolean') return value
    throw typeError(value, schema, context)
  },
  int32: decodeInt32,
  int64: decodeInt64,
  double: (value, schema, context) => {
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    if (value instanceof NumberText) return Number(value.text)
    throw typeError(value, schema, context)
  },
  bytes: (value, schema, context) => {
    if (typeof value === 'string') return normalizeBase64(value)
    throw typeError(value, schema, context)
  },
  quantity: decodeQuantity,
  time: (value, schema, context) => {
    if (typeof value === 'string') return normalizeTime(value) ?? undefined
    throw typeError(value, schema, context)
  },
  'micro-time': (value, schema, context) => {
    if (typeof value === 'string') return normalizeMicroTime(value) ?? undefined
    throw typeError(value, schema, context)
  },
  'int-or-string': (value, schema, context) =>
    typeof value === 'string' ? value : decodeInt32(value, schema, context),
  any: (value, schema, context) =>
    schema.objectForm === undefined ? plainAny(value) : decodeUnion(value, schema.objectForm(), context),
}

/** As upstream's own decoders of such types do it: unknown fields are dropped in silence, error texts start at the object. */
function decodeUnion(value: unknown, form: ObjectSchema, { fillZeros }: DecodeContext): unknown {
  if (Array.isArray(value)) return value.map((item) => decodeUnion(item, form, { path: [], problems: null, fillZeros }))
  return isObject(value) ? decoderOf(form)(value, { path: [], problems: null, fillZeros }) : plainAny(value)
}

function decodeInt32(value: {}, schema: ScalarSchema, context: DecodeContext): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX) return value + 0
  throw typeError(value, schema, context)
}

function decodeInt64(value: {}, schema: ScalarSchema, context: DecodeContext): number | bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value + 0
  if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return value
  throw typeError(value, schema, context)
}

/** Up to three digits are canonical with any suffix of thousands. */
const SHORT_QUANTITY = /^[1-9]\d{0,2}(?:[mkMGT]|[KMGT]i)?$/

function decodeQuantity(value: {}): string {
  const text = value instanceof NumberText ? value.text : String(value)
  if (SHORT_QUANTITY.test(text)) return text
  try {
    return formatQuantity(text.trim())
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message)
    throw error
  }
}

/** Unstructured values are kept; numbers in an unusual form become plain ones. */
function plainAny(value: unknown): unknown {
  if (value instanceof NumberText) return Number(value.text)
  if (Array.isArray(value)) return value.some(hasNumberText) ? value.map(plainAny) : value
  if (!isObject(value) || !hasNumberText(value)) return value
  const plain: Record<string, unknown> = {}
  for (const name in value) setField(plain, name, plainAny(value[name]))
  return plain
}

function hasNumberText(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof NumberText) return true
  return Array.isArray(value) ? value.some(hasNumberText) : Object.values(value).some(hasNumberText)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object' || value === null) return false
  for (const _name in value) return false
  return true
}

/** `spec.containers[0].name` */
export function formatPath(path: readonly (FieldStep | number | string)[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += `${text === '' ? '' : '.'}${typeof step === 'string' ? step : step.field.name}`
  }
  return text
}

function typeError(value: unknown, schema: Schema, context: DecodeContext): DecodeError {
  const target = goTypeOf(schema)
  const names: string[] = []
  let owner = ''
  for (const step of context.path) {
    if (typeof step !== 'object') continue
    names.push(...(step.field.embeddedIn ?? []), step.field.name)
    owner = step.ownerName
  }
  const place = owner === '' ? 'Go value' : `Go struct field ${owner}.${names.join('.')}`
  return new DecodeError(`json: cannot unmarshal ${describe(value, schema)} into ${place} of type ${target}`)
}

function describe(value: unknown, { type }: Schema): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'object' && !(value instanceof NumberText)) return 'object'
  const isNumberField = type === 'int32' || type === 'int64' || type === 'double' || type === 'int-or-string'
  return isNumberField ? `number ${value instanceof NumberText ? value.text : String(value)}` : 'number'
}
