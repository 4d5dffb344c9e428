/** Decodes protobuf messages of registered types into the values that their JSON would have; the tables are compiled once per type. */
import { FLAGS, fullName, type FieldRow } from '../schema/schema-data.ts'
import { typeDataOf } from '../schema/registry.ts'
import { SPECIAL_TYPES } from './special-types.ts'
import { setField } from '../schema/exact-json.ts'
import { UNION_SCHEMA, UNION_TYPES } from './union-types.ts'
import { expectWire, WIRE, WireReader, type Tag } from './wire-reader.ts'

/** Reads one value where the reader stands, which is of the wire type that `wireOf` tells. Undefined: leave it out. */
type ValueReader = (reader: WireReader) => unknown

type FieldPlan = {
  readonly name: string
  /** Go's, which refusals mention. */
  readonly goName: string
  readonly shape: 'single' | 'list' | 'map' | 'inline' | 'skipped'
  readonly wire: number
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
  return readMessage(typeName, new WireReader(message, shortName(typeName)))
}

function readMessage(typeName: string, reader: WireReader): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  const plan = planOf(typeName)
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    const field = plan.get(tag.number)
    if (field === undefined || field.shape === 'skipped') reader.skip(tag.wire)
    else readField(object, field, reader, tag)
  }
  return object
}

function readField(object: Record<string, unknown>, field: FieldPlan, reader: WireReader, tag: Tag): void {
  const { name, goName, shape, isNumeric, read } = field
  if (shape === 'list' && isNumeric && tag.wire === WIRE.bytes) {
    const packed = reader.message(goName)
    while (!packed.isAtEnd) listOf(object, name).push(read(packed))
    return
  }
  expectWire(tag, field.wire, goName)
  const value = read(reader)
  if (shape === 'list') listOf(object, name).push(value)
  else if (shape === 'map') {
    const [key, entry] = value as [string, unknown]
    setField((object[name] ??= {}) as Record<string, unknown>, key, entry)
  } else if (shape === 'inline') Object.assign(object, value)
  else if (value !== undefined && !(field.dropsZero && isZero(value))) object[name] = value
}

const listOf = (object: Record<string, unknown>, name: string): unknown[] => (object[name] ??= []) as unknown[]

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false

const shortName = (typeName: string): string => typeName.slice(typeName.lastIndexOf('.') + 1)

/** Exported fields begin with a capital; an embedded struct has the name of its type. */
const goNameOf = (name: string, type: string): string =>
  name === 'metadata' ? shortName(type) : `${name.charAt(0).toUpperCase()}${name.slice(1)}`

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
  const shape = shapeOf(type, flags)
  const inner = shape === 'list' || shape === 'map' ? type.slice(2) : type
  const value = valueReader(inner, packages)
  return {
    name,
    goName: goNameOf(name, type),
    shape,
    dropsZero,
    isNumeric: /^[bild]$/.test(inner),
    wire: shape === 'map' ? WIRE.bytes : wireOf(inner),
    read: shape === 'map' ? mapEntryReader(value, inner) : value,
  }
}

function shapeOf(type: string, flags: number): FieldPlan['shape'] {
  if ((flags & FLAGS.inline) !== 0) return 'inline'
  if (type === '*') return 'skipped'
  return type.startsWith('[]') ? 'list' : type.startsWith('{}') ? 'map' : 'single'
}

/** Texts, bytes and messages are all bytes on the wire. */
function wireOf(type: string): number {
  if (type === 'd') return WIRE.fixed64
  return /^[bil]$/.test(type) ? WIRE.varint : WIRE.bytes
}

function valueReader(type: string, packages: readonly string[]): ValueReader {
  switch (type) {
    case 's':
      return (reader) => reader.text()
    case 'y':
      return (reader) => reader.bytes().toString('base64')
    case 'b':
      return (reader) => reader.integer() !== 0
    case 'i':
      return (reader) => Number(BigInt.asIntN(32, reader.varint())) // Go takes the lower half.
    case 'l':
      return (reader) => reader.integer()
    case 'd':
      return (reader) => reader.double()
    case '*':
      return () => undefined // Not on the wire.
    default:
      return type.startsWith('[]') || type.startsWith('{}')
        ? nestedReader(type, packages)
        : messageReader(fullName(type, packages))
  }
}

function messageReader(typeName: string): ValueReader {
  const name = shortName(typeName)
  const special = SPECIAL_TYPES[typeName]
  if (special !== undefined) return (reader) => special.read(reader.message(name))
  const union = UNION_TYPES[typeName]
  if (union !== undefined)
    return (reader) => union.read(reader.message(name), (schema) => readMessage(UNION_SCHEMA, schema))
  const { data, packages } = typeDataOf(typeName)
  // A named list is a message with `items` on the wire.
  if (data.wrapper !== undefined) return wrapperReader(data.wrapper.replace(/^\[\]/, ''), packages)
  return (reader) => readMessage(typeName, reader.message(name))
}

function wrapperReader(type: string, packages: readonly string[]): ValueReader {
  const [item, wire] = [valueReader(type, packages), wireOf(type)]
  return (reader) => {
    const inner = reader.message('Items')
    const items: unknown[] = []
    while (!inner.isAtEnd) {
      const tag = inner.tag()
      if (tag.number === 1) {
        expectWire(tag, wire, 'Items')
        items.push(item(inner))
      } else inner.skip(tag.wire)
    }
    return items
  }
}

/** A list as the value of a map (`map[string][]string`) is wrapped as well. */
function nestedReader(type: string, packages: readonly string[]): ValueReader {
  return wrapperReader(type.slice(2), packages)
}

const ZEROS: Readonly<Record<string, unknown>> = { s: '', y: '', b: false, i: 0, l: 0, d: 0 }

/** An entry of a map is a message of key and value; either may be absent, which means its zero value. */
function mapEntryReader(value: ValueReader, type: string): ValueReader {
  const wire = wireOf(type)
  return (reader) => {
    const entry = reader.message('Entry')
    let [key, content]: [string, unknown] = ['', type in ZEROS ? ZEROS[type] : {}]
    while (!entry.isAtEnd) {
      const tag = entry.tag()
      if (tag.number === 1) {
        expectWire(tag, WIRE.bytes, 'Key')
        key = entry.text()
      } else if (tag.number === 2) {
        expectWire(tag, wire, 'Value')
        content = value(entry)
      } else entry.skip(tag.wire)
    }
    return [key, content]
  }
}
