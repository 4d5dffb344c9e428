/** Types whose protobuf form is not that of their JSON: times, quantities, numbers or texts, raw JSON. */
import { badRequest } from '../status-error.ts'
import { WireReader } from './wire-reader.ts'

/** Undefined: Go's zero value, which JSON leaves out. */
export type SpecialDecoder = (message: Buffer) => unknown

export const SPECIAL_TYPES: Readonly<Record<string, SpecialDecoder>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': (message) => decodeTime(message, 0),
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': (message) => decodeTime(message, 6),
  'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': (message) => `${Number(numbersOf(message).get(1) ?? 0n) / 1e9}s`,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': (message) => textsOf(message).get(1) ?? '0',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': decodeIntOrString,
  'io.k8s.apimachinery.pkg.runtime.RawExtension': decodeRaw,
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': decodeRaw,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': decodeRaw,
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
