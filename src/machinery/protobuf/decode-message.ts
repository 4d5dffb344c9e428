/** Decodes protobuf messages of registered types into the values that their JSON would have; the tables are compiled once per type. */
import { FLAGS, fullName, type FieldRow } from '../schema/schema-data.ts'
import { typeDataOf } from '../schema/registry.ts'
import { SPECIAL_TYPES } from './special-types.ts'
import { UNION_SCHEMA, UNION_TYPES } from './union-types.ts'
import { WIRE, WireReader } from './wire-reader.ts'

/** Reads one value where the reader stands. Undefined: leave it out. */
type ValueReader = (reader: WireReader, wire: number) => unknown

type FieldPlan = {
  readonly name: string
  readonly shape: 'single' | 'list' | 'map' | 'inline'
  readonly read: ValueReader
  /** Numbers of a list may come packed in one field. */
  readonly isNumeric: boolean
  /** JSON leaves the zero value out, so it is as good as absent. */
  readonly dropsZero: boolean
}

type TypePlan = ReadonlyMap<number, FieldPlan>

const plans = new Map<string, TypePlan>()

/** `typeName` is the full name of a registered object type. Throws StatusError 400 for bytes that are no such message. */
export function decodeMessage(typeName: string, message: Buffer): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  const plan = planOf(typeName)
  const reader = new WireReader(message)
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag()
    const field = plan.get(number)
    if (field === undefined) reader.skip(wire)
    else readField(object, field, reader, wire)
  }
  return object
}

function readField(object: Record<string, unknown>, field: FieldPlan, reader: WireReader, wire: number): void {
  const { name, shape, isNumeric, read } = field
  if (shape === 'list' && isNumeric && wire === WIRE.bytes) {
    const packed = new WireReader(reader.bytes())
    while (!packed.isAtEnd) listOf(object, name).push(read(packed, WIRE.varint))
    return
  }
  const value = read(reader, wire)
  if (shape === 'list') listOf(object, name).push(value)
  else if (shape === 'map') {
    const [key, entry] = value as [string, unknown]
    ;((object[name] ??= {}) as Record<string, unknown>)[key] = entry
  } else if (shape === 'inline') Object.assign(object, value)
  else if (value !== undefined && !(field.dropsZero && isZero(value))) object[name] = value
}

const listOf = (object: Record<string, unknown>, name: string): unknown[] => (object[name] ??= []) as unknown[]

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false

function planOf(typeName: string): TypePlan {
  let plan = plans.get(typeName)
  if (plan === undefined) {
    const { data, packages } = typeDataOf(typeName)
    plan = new Map(
      (data.fields ?? [])
        .filter(([, , flags, proto]) => proto !== undefined && (flags & FLAGS.typeMeta) === 0)
        .map((row) => [row[3]!, planField(row, packages)]),
    )
    plans.set(typeName, plan)
  }
  return plan
}

function planField([name, type, flags]: FieldRow, packages: readonly string[]): FieldPlan {
  const dropsZero = (flags & FLAGS.omitEmpty) !== 0 && (flags & FLAGS.pointer) === 0
  const shape =
    (flags & FLAGS.inline) !== 0 ? 'inline' : type.startsWith('[]') ? 'list' : type.startsWith('{}') ? 'map' : 'single'
  const inner = shape === 'list' || shape === 'map' ? type.slice(2) : type
  const value = valueReader(inner, packages)
  return {
    name,
    shape,
    dropsZero,
    isNumeric: /^[bild]$/.test(inner),
    read: shape === 'map' ? mapEntryReader(value, inner) : value,
  }
}

function valueReader(type: string, packages: readonly string[]): ValueReader {
  switch (type) {
    case 's':
      return (reader) => reader.bytes().toString('utf8')
    case 'y':
      return (reader) => reader.bytes().toString('base64')
    case 'b':
      return (reader) => reader.varint() !== 0n
    case 'i':
    case 'l':
      return (reader) => Number(reader.varint())
    case 'd':
      return (reader, wire) => (wire === WIRE.fixed64 ? reader.double() : Number(reader.varint()))
    case '*':
      return (reader, wire) => void reader.skip(wire)
    default:
      return type.startsWith('[]') || type.startsWith('{}')
        ? nestedReader(type, packages)
        : messageReader(fullName(type, packages))
  }
}

function messageReader(typeName: string): ValueReader {
  const special = SPECIAL_TYPES[typeName]
  if (special !== undefined) return (reader) => special.read(reader.bytes())
  const union = UNION_TYPES[typeName]
  if (union !== undefined)
    return (reader) => union.read(reader.bytes(), (schema) => decodeMessage(UNION_SCHEMA, schema))
  const { data, packages } = typeDataOf(typeName)
  // A named list is a message with `items` on the wire.
  if (data.wrapper !== undefined) return wrapperReader(valueReader(data.wrapper.replace(/^\[\]/, ''), packages))
  return (reader) => decodeMessage(typeName, reader.bytes())
}

function wrapperReader(item: ValueReader): ValueReader {
  return (reader) => {
    const inner = new WireReader(reader.bytes())
    const items: unknown[] = []
    while (!inner.isAtEnd) {
      const { number, wire } = inner.tag()
      if (number === 1) items.push(item(inner, wire))
      else inner.skip(wire)
    }
    return items
  }
}

/** A list as the value of a map (`map[string][]string`) is wrapped as well. */
function nestedReader(type: string, packages: readonly string[]): ValueReader {
  return wrapperReader(valueReader(type.slice(2), packages))
}

const ZEROS: Readonly<Record<string, unknown>> = { s: '', y: '', b: false, i: 0, l: 0, d: 0 }

/** An entry of a map is a message of key and value; either may be absent, which means its zero value. */
function mapEntryReader(value: ValueReader, type: string): ValueReader {
  return (reader) => {
    const entry = new WireReader(reader.bytes())
    let [key, content]: [string, unknown] = ['', type in ZEROS ? ZEROS[type] : {}]
    while (!entry.isAtEnd) {
      const { number, wire } = entry.tag()
      if (number === 1) key = entry.bytes().toString('utf8')
      else if (number === 2) content = value(entry, wire)
      else entry.skip(wire)
    }
    return [key, content]
  }
}
