/** Types whose protobuf form is not that of their JSON: times, quantities, numbers or texts, raw JSON. */
import { badRequest } from '../status-error.ts'
import { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

export type SpecialType = {
  /** Undefined: Go's zero value, which JSON leaves out. */
  read(message: Buffer): unknown
  /** The content of the message, without its length. */
  write(writer: WireWriter, value: unknown): void
  /** What stands for a field that JSON leaves out. */
  readonly zero: unknown
}

const RAW: SpecialType = { read: decodeRaw, write: writeRaw, zero: null }
const TIME: SpecialType = { read: (message) => decodeTime(message, 0), write: writeTime, zero: null }

export const SPECIAL_TYPES: Readonly<Record<string, SpecialType>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': TIME,
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { ...TIME, read: (message) => decodeTime(message, 6) },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': {
    read: (message) => `${Number(numbersOf(message).get(1) ?? 0n) / 1e9}s`,
    write: (writer, value) => writer.integer(1, parseDuration(value as string)),
    zero: '0s',
  },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    read: (message) => textsOf(message).get(1) ?? '0',
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

function decodeTime(message: Buffer, fractionDigits: number): string | undefined {
  const numbers = numbersOf(message)
  const [seconds, nanos] = [numbers.get(1) ?? 0n, numbers.get(2) ?? 0n]
  if (seconds === 0n && nanos === 0n) return undefined
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return fractionDigits === 0 ? `${whole}Z` : `${whole}.${String(nanos).padStart(9, '0').slice(0, fractionDigits)}Z`
}

function decodeIntOrString(message: Buffer): number | string {
  const numbers = numbersOf(message)
  const isText = (numbers.get(1) ?? 0n) === 1n
  return isText ? (textsOf(message).get(3) ?? '') : Number(numbers.get(2) ?? 0n)
}

function decodeRaw(message: Buffer): unknown {
  const text = textsOf(message).get(1) ?? ''
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('raw data in a protobuf body is not JSON')
  }
}

function numbersOf(message: Buffer): Map<number, bigint> {
  const found = new Map<number, bigint>()
  forEachField(message, (number, wire, reader) => (wire === 0 ? found.set(number, reader.varint()) : reader.skip(wire)))
  return found
}

function textsOf(message: Buffer): Map<number, string> {
  const found = new Map<number, string>()
  forEachField(message, (number, wire, reader) =>
    wire === 2 ? found.set(number, reader.bytes().toString('utf8')) : reader.skip(wire),
  )
  return found
}

function forEachField(message: Buffer, visit: (number: number, wire: number, reader: WireReader) => void): void {
  const reader = new WireReader(message)
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag()
    visit(number, wire, reader)
  }
}
