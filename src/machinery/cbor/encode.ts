/** Writes objects as CBOR the way Kubernetes does: texts as byte strings, bytes tagged as base64 of JSON, the shortest form of numbers. */
import { fullName, FLAGS, type FieldRow } from '../schema/schema-data.ts'
import { hasSchema, typeDataOf } from '../schema/registry.ts'

/** Tag 55799 in front of every object says that this is CBOR. */
export const SELF_DESCRIBED = Buffer.from([0xd9, 0xd9, 0xf7])

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, array: 4, map: 5, tag: 6 } as const
const [FALSE, TRUE, NULL] = [Buffer.from([0xf4]), Buffer.from([0xf5]), Buffer.from([0xf6])]
/** Tag 22: these bytes are base64 in JSON. */
const BASE64_TAG = 22

/** What a value is by its schema: only bytes differ from what JSON shows. */
type Place = { readonly type: string; readonly packages: readonly string[] } | null

/** `typeName` is the full name of the object's type; null: all its texts are texts. */
export function encodeCbor(object: unknown, typeName: string | null): Buffer {
  const parts: Buffer[] = [SELF_DESCRIBED]
  const place = typeName !== null && hasSchema(typeName) ? placeOf(typeName) : null
  write(parts, object, place)
  return Buffer.concat(parts)
}

/** The head of a list with that many items under that name, which follow it one by one. */
export function encodeListHead(list: Readonly<Record<string, unknown>>, name: string, items: number): Buffer {
  const parts: Buffer[] = [SELF_DESCRIBED]
  const entries = Object.entries(list)
  parts.push(head(MAJOR.map, entries.length + 1))
  for (const [key, value] of entries) {
    writeText(parts, key)
    write(parts, value, null)
  }
  writeText(parts, name)
  parts.push(head(MAJOR.array, items))
  return Buffer.concat(parts)
}

/** An event of a watch: the object keeps its own tag. */
export function encodeCborEvent(type: string, object: Buffer): Buffer {
  const parts: Buffer[] = [SELF_DESCRIBED, head(MAJOR.map, 2)]
  writeText(parts, 'type')
  writeText(parts, type)
  writeText(parts, 'object')
  parts.push(object)
  return Buffer.concat(parts)
}

const placeOf = (typeName: string): Place => {
  const at = typeName.lastIndexOf('.')
  return { type: typeName.slice(at + 1), packages: [typeName.slice(0, at)] }
}

function write(parts: Buffer[], value: unknown, place: Place): void {
  if (value === null || value === undefined) return void parts.push(NULL)
  if (typeof value === 'string') return place?.type === 'y' ? writeBytes(parts, value) : writeText(parts, value)
  if (typeof value === 'boolean') return void parts.push(value ? TRUE : FALSE)
  if (typeof value === 'number') return void parts.push(encodeNumber(value))
  if (Array.isArray(value)) {
    parts.push(head(MAJOR.array, value.length))
    const inner = place?.type.startsWith('[]') ? { ...place, type: place.type.slice(2) } : null
    for (const item of value) write(parts, item, inner)
    return
  }
  writeMap(parts, value as Record<string, unknown>, place)
}

function writeMap(parts: Buffer[], map: Readonly<Record<string, unknown>>, place: Place): void {
  const entries = Object.entries(map).filter(([, value]) => value !== undefined)
  const fields = place === null || place.type.startsWith('{}') ? null : fieldsOf(place)
  const values = place?.type.startsWith('{}') ? { ...place, type: place.type.slice(2) } : null
  parts.push(head(MAJOR.map, entries.length))
  for (const [key, value] of entries) {
    writeText(parts, key)
    write(parts, value, fields === null ? values : (fields.get(key) ?? null))
  }
}

const known = new Map<string, ReadonlyMap<string, Place>>()

/** The fields of a type by name, those of embedded types among them; null where the type is a scalar or has a form of its own. */
function fieldsOf({ type, packages }: NonNullable<Place>): ReadonlyMap<string, Place> | null {
  if (type.length === 1 || type.startsWith('[]')) return null
  const name = fullName(type, packages)
  let fields = known.get(name)
  if (fields === undefined) {
    if (!hasSchema(name)) return null
    const data = typeDataOf(name)
    fields = new Map((data.data.fields ?? []).flatMap((row) => placesOf(row, data.packages)))
    known.set(name, fields)
  }
  return fields
}

function placesOf([name, type, flags]: FieldRow, packages: readonly string[]): [string, Place][] {
  const place = { type, packages }
  return (flags & FLAGS.inline) === 0 ? [[name, place]] : [...(fieldsOf(place) ?? [])]
}

function writeText(parts: Buffer[], text: string): void {
  const bytes = Buffer.from(text)
  parts.push(head(MAJOR.bytes, bytes.length), bytes)
}

function writeBytes(parts: Buffer[], base64: string): void {
  const bytes = Buffer.from(base64, 'base64')
  parts.push(head(MAJOR.tag, BASE64_TAG), head(MAJOR.bytes, bytes.length), bytes)
}

function encodeNumber(value: number): Buffer {
  if (!Number.isInteger(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return encodeFloat(value)
  return value < 0 ? head(MAJOR.negative, -1 - value) : head(MAJOR.unsigned, value)
}

function encodeFloat(value: number): Buffer {
  const view = new DataView(new ArrayBuffer(9))
  if (Math.f16round(value) === value) {
    view.setUint8(0, 0xf9)
    view.setFloat16(1, value)
    return Buffer.from(view.buffer, 0, 3)
  }
  if (Math.fround(value) === value) {
    view.setUint8(0, 0xfa)
    view.setFloat32(1, value)
    return Buffer.from(view.buffer, 0, 5)
  }
  view.setUint8(0, 0xfb)
  view.setFloat64(1, value)
  return Buffer.from(view.buffer)
}

/** Major type and argument in the fewest bytes. */
function head(major: number, argument: number): Buffer {
  const first = major << 5
  if (argument < 24) return Buffer.from([first | argument])
  if (argument < 0x100) return Buffer.from([first | 24, argument])
  if (argument < 0x1_0000) return Buffer.from([first | 25, argument >> 8, argument & 0xff])
  const wide = argument >= 0x1_0000_0000
  const bytes = Buffer.alloc(wide ? 9 : 5)
  bytes[0] = first | (wide ? 27 : 26)
  if (wide) bytes.writeBigUInt64BE(BigInt(argument), 1)
  else bytes.writeUInt32BE(argument, 1)
  return bytes
}
