/** Types whose protobuf form is not that of their JSON: times, quantities, numbers or texts, raw JSON. */
import { DecodeError } from '../schema/decode-error.ts'
import { parseJson } from '../schema/parse-json.ts'
import { badRequest } from '../status-error.ts'
import { expectWire, WIRE, type WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

export type SpecialType = {
  /** Undefined: Go's zero value, which JSON leaves out. */
  read(reader: WireReader): unknown
  /** The content of the message, without its length. */
  write(writer: WireWriter, value: unknown): void
  /** What stands for a field that JSON leaves out. */
  readonly zero: unknown
}

const RAW: SpecialType = { read: decodeRaw, write: writeRaw, zero: null }
const TIME: SpecialType = { read: (reader) => decodeTime(reader, 0), write: writeTime, zero: null }

export const SPECIAL_TYPES: Readonly<Record<string, SpecialType>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': TIME,
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { ...TIME, read: (reader) => decodeTime(reader, 6) },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': {
    read: (reader) => `${Number(readFlat(reader, { numbers: { 1: 'Duration' } }).numbers.get(1) ?? 0n) / 1e9}s`,
    write: (writer, value) => writer.integer(1, parseDuration(value as string)),
    zero: '0s',
  },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    read: (reader) => readFlat(reader, { texts: { 1: 'String_' } }).texts.get(1) ?? '0',
    write: (writer, value) => writer.text(1, String(value)),
    zero: '0',
  },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { read: decodeIntOrString, write: writeIntOrString, zero: 0 },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': RAW,
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': RAW,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': RAW,
}

/** Go's zero time is an empty message. */
function writeTime(writer: WireWriter, value: unknown): void {
  if (value === null) return
  const ms = Date.parse(value as string)
  const fraction = /\.(\d+)/.exec(value as string)?.[1] ?? ''
  writer.integer(2, Number(fraction.padEnd(9, '0').slice(0, 9)))
  writer.integer(1, Math.floor(ms / 1000))
}

function writeIntOrString(writer: WireWriter, value: unknown): void {
  const isText = typeof value === 'string'
  writer.text(3, isText ? value : '')
  writer.integer(2, isText ? 0 : (value as number))
  writer.integer(1, isText ? 1 : 0)
}

function writeRaw(writer: WireWriter, value: unknown): void {
  if (value !== null) writer.text(1, JSON.stringify(value))
}

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Nanoseconds of Go's `1h2m0.5s`. */
function parseDuration(text: string): number {
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * NANOSECONDS[unit!]!
  return Math.round(text.startsWith('-') ? -total : total)
}

/** The times that RFC 3339 can write: of the years 1 to 9999. */
const [SECONDS_MIN, SECONDS_MAX] = [-62_135_596_800n, 253_402_300_799n]

function decodeTime(reader: WireReader, fractionDigits: number): string | undefined {
  const { numbers } = readFlat(reader, { numbers: { 1: 'Seconds', 2: 'Nanos' } })
  const [seconds, nanos] = [numbers.get(1) ?? 0n, numbers.get(2) ?? 0n]
  if (seconds === 0n && nanos === 0n) return undefined
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX || nanos < 0n || nanos >= 1_000_000_000n)
    throw badRequest('a time in a protobuf body is out of range')
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return fractionDigits === 0 ? `${whole}Z` : `${whole}.${String(nanos).padStart(9, '0').slice(0, fractionDigits)}Z`
}

function decodeIntOrString(reader: WireReader): number | string {
  const { numbers, texts } = readFlat(reader, { numbers: { 1: 'Type', 2: 'IntVal' }, texts: { 3: 'StrVal' } })
  const isText = (numbers.get(1) ?? 0n) === 1n
  return isText ? (texts.get(3) ?? '') : Number(BigInt.asIntN(32, numbers.get(2) ?? 0n))
}

function decodeRaw(reader: WireReader): unknown {
  const text = readFlat(reader, { texts: { 1: 'Raw' } }).texts.get(1) ?? ''
  if (text === '') return undefined
  try {
    return parseJson(text)
  } catch (error) {
    throw error instanceof DecodeError ? error : badRequest('raw data in a protobuf body is not JSON')
  }
}

type FieldNames = Readonly<Record<number, string>>

/** A message of numbers and texts alone. Throws for a field of another wire type. */
function readFlat(
  reader: WireReader,
  fields: { readonly numbers?: FieldNames; readonly texts?: FieldNames },
): { readonly numbers: ReadonlyMap<number, bigint>; readonly texts: ReadonlyMap<number, string> } {
  const [numbers, texts] = [new Map<number, bigint>(), new Map<number, string>()]
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    const [numberName, textName] = [fields.numbers?.[tag.number], fields.texts?.[tag.number]]
    if (numberName !== undefined) {
      expectWire(tag, WIRE.varint, numberName)
      numbers.set(tag.number, reader.varint())
    } else if (textName !== undefined) {
      expectWire(tag, WIRE.bytes, textName)
      texts.set(tag.number, reader.text())
    } else reader.skip(tag.wire)
  }
  return { numbers, texts }
}
