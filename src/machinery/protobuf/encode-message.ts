/** Encodes objects as the protobuf messages of their registered types: what Go writes for the same JSON, field by field. */
import { FLAGS, fullName, type FieldRow } from '../schema/schema-data.ts'
import { typeDataOf } from '../schema/registry.ts'
import { SPECIAL_TYPES } from './special-types.ts'
import { UNION_SCHEMA, UNION_TYPES } from './union-types.ts'
import { writeBytes, type WireWriter } from './wire-writer.ts'

/** Writes one value as the field of that number. */
type FieldWriter = (writer: WireWriter, number: number, value: unknown) => void
/** Writes the content of a message, without its length. */
type ContentWriter = (writer: WireWriter, value: unknown) => void

type FieldPlan = {
  readonly name: string
  readonly number: number
  readonly isInline: boolean
  readonly write: FieldWriter
  /** What Go holds where JSON says nothing, and writes all the same; undefined: nothing is written. */
  readonly zero: unknown
}

/** Fields from the highest number to the lowest: the writer goes from the end to the start. */
type TypePlan = readonly FieldPlan[]

const plans = new Map<string, TypePlan>()

/** `typeName` is the full name of a registered object type. */
export function encodeMessage(typeName: string, object: unknown): Buffer {
  return writeBytes((writer) => writeMessage(writer, typeName, object))
}

export function writeMessage(writer: WireWriter, typeName: string, object: unknown): void {
  writeFields(writer, planOf(typeName), object as Record<string, unknown>)
}

function writeFields(writer: WireWriter, plan: TypePlan, object: Record<string, unknown>): void {
  for (const { name, number, isInline, write, zero } of plan) {
    const value = isInline ? object : (object[name] ?? zero)
    if (value !== undefined) write(writer, number, value)
  }
}

function planOf(typeName: string): TypePlan {
  let plan = plans.get(typeName)
  if (plan === undefined) {
    const { data, packages } = typeDataOf(typeName)
    plan = (data.fields ?? [])
      .filter(([, , flags, proto]) => proto !== undefined && (flags & FLAGS.typeMeta) === 0)
      .map((row) => planField(row, packages))
      .toSorted((one, other) => other.number - one.number)
    plans.set(typeName, plan)
  }
  return plan
}

function planField([name, type, flags, number]: FieldRow, packages: readonly string[]): FieldPlan {
  const isInline = (flags & FLAGS.inline) !== 0
  const isPointer = (flags & FLAGS.pointer) !== 0
  return {
    name,
    number: number!,
    isInline,
    write: isInline ? inlineWriter(fullName(type, packages), isPointer) : fieldWriter(type, packages),
    zero: isPointer ? undefined : zeroOf(type, packages),
  }
}

function fieldWriter(type: string, packages: readonly string[]): FieldWriter {
  if (type.startsWith('[]')) return listWriter(valueWriter(type.slice(2), packages))
  if (type.startsWith('{}')) return mapWriter(valueWriter(type.slice(2), packages))
  return valueWriter(type, packages)
}

const ZEROS: Readonly<Record<string, unknown>> = { s: '', b: false, i: 0, l: 0, d: 0 }

/** Empty lists, maps and bytes are not on the wire; numbers, texts and structs always are. */
function zeroOf(type: string, packages: readonly string[]): unknown {
  if (type in ZEROS) return ZEROS[type]
  if (type === 'y' || type === '*' || type.startsWith('[]') || type.startsWith('{}')) return undefined
  const typeName = fullName(type, packages)
  const special = SPECIAL_TYPES[typeName]
  if (special !== undefined) return special.zero
  return typeDataOf(typeName).data.wrapper === undefined ? {} : undefined
}

function valueWriter(type: string, packages: readonly string[]): FieldWriter {
  switch (type) {
    case 's':
      return (writer, number, value) => writer.text(number, value as string)
    case 'y':
      return (writer, number, value) => writer.bytes(number, Buffer.from(value as string, 'base64'))
    case 'b':
      return (writer, number, value) => writer.integer(number, value === true ? 1 : 0)
    case 'i':
    case 'l':
      return (writer, number, value) => writer.integer(number, value as number)
    case 'd':
      return (writer, number, value) => writer.double(number, value as number)
    case '*':
      return () => {} // Not on the wire.
    default: {
      const write = type.startsWith('[]')
        ? itemsWriter(type.slice(2), packages)
        : contentWriter(fullName(type, packages))
      return (writer, number, value) => writer.message(number, () => write(writer, value))
    }
  }
}

function contentWriter(typeName: string): ContentWriter {
  const special = SPECIAL_TYPES[typeName]
  if (special !== undefined) return special.write
  const union = UNION_TYPES[typeName]
  if (union !== undefined)
    return (writer, value) => union.write(writer, value, (schema) => writeMessage(writer, UNION_SCHEMA, schema))
  const { data, packages } = typeDataOf(typeName)
  // A named list is a message with `items` on the wire.
  if (data.wrapper !== undefined) return itemsWriter(data.wrapper.replace(/^\[\]/, ''), packages)
  // Types may hold themselves: their plans are made when they are first needed.
  return (writer, value) => writeMessage(writer, typeName, value)
}

function itemsWriter(type: string, packages: readonly string[]): ContentWriter {
  const write = listWriter(valueWriter(type, packages))
  return (writer, value) => write(writer, 1, value)
}

function listWriter(write: FieldWriter): FieldWriter {
  return (writer, number, value) => {
    const items = value as readonly unknown[]
    for (let index = items.length - 1; index >= 0; index--) write(writer, number, items[index])
  }
}

/** Entries in the order of their keys, which are the same bytes each time. */
function mapWriter(write: FieldWriter): FieldWriter {
  return (writer, number, value) => {
    const map = value as Readonly<Record<string, unknown>>
    for (const key of Object.keys(map).toSorted().toReversed())
      writer.message(number, () => {
        write(writer, 2, map[key])
        writer.text(1, key)
      })
  }
}

/** An embedded message: its fields stand in the owner's JSON object. A pointer is there when any of them is. */
function inlineWriter(typeName: string, isPointer: boolean): FieldWriter {
  return (writer, number, value) => {
    const isThere =
      !isPointer || planOf(typeName).some(({ name }) => (value as Record<string, unknown>)[name] !== undefined)
    if (isThere) writer.message(number, () => writeMessage(writer, typeName, value))
  }
}
