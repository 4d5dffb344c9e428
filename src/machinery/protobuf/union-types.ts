/** Parts of CustomResourceDefinitions that are one of two things in JSON: on the wire, messages with a field for each. */
import { expectWire, WIRE, type WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

const PACKAGE = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** The type of the schemas in them, which the codec reads and writes itself. */
export const UNION_SCHEMA = `${PACKAGE}.JSONSchemaProps`
const SCHEMA_NAME = 'JSONSchemaProps'

export type UnionType = {
  write(writer: WireWriter, value: unknown, writeSchema: (value: unknown) => void): void
  read(reader: WireReader, readSchema: (reader: WireReader) => unknown): unknown
}

export const UNION_TYPES: Readonly<Record<string, UnionType>> = {
  [`${PACKAGE}.JSONSchemaPropsOrBool`]: {
    write(writer, value, writeSchema) {
      if (typeof value !== 'boolean') writer.message(2, () => writeSchema(value))
      writer.integer(1, value === false ? 0 : 1)
    },
    read(reader, readSchema) {
      let [allows, schema]: [boolean, unknown] = [false, undefined]
      eachField(reader, {
        1: ['Allows', WIRE.varint, () => (allows = reader.varint() !== 0n)],
        2: ['Schema', WIRE.bytes, () => (schema = readSchema(reader.message(SCHEMA_NAME)))],
      })
      return schema ?? allows
    },
  },
  [`${PACKAGE}.JSONSchemaPropsOrArray`]: {
    write(writer, value, writeSchema) {
      if (!Array.isArray(value)) return writer.message(1, () => writeSchema(value))
      for (const schema of value.toReversed()) writer.message(2, () => writeSchema(schema))
    },
    read(reader, readSchema) {
      let schema: unknown
      const list: unknown[] = []
      eachField(reader, {
        1: ['Schema', WIRE.bytes, () => (schema = readSchema(reader.message(SCHEMA_NAME)))],
        2: ['JSONSchemas', WIRE.bytes, () => list.push(readSchema(reader.message(SCHEMA_NAME)))],
      })
      return list.length > 0 ? list : schema
    },
  },
  [`${PACKAGE}.JSONSchemaPropsOrStringArray`]: {
    write(writer, value, writeSchema) {
      if (!Array.isArray(value)) return writer.message(1, () => writeSchema(value))
      for (const text of (value as string[]).toReversed()) writer.text(2, text)
    },
    read(reader, readSchema) {
      let schema: unknown
      const list: string[] = []
      eachField(reader, {
        1: ['Schema', WIRE.bytes, () => (schema = readSchema(reader.message(SCHEMA_NAME)))],
        2: ['Property', WIRE.bytes, () => list.push(reader.text())],
      })
      return list.length > 0 ? list : schema
    },
  },
}

type FieldReader = readonly [goName: string, wire: number, read: () => unknown]

/** Reads each field that is known by its number, and skips the others. */
function eachField(reader: WireReader, fields: Readonly<Record<number, FieldReader>>): void {
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    const field = fields[tag.number]
    if (field === undefined) {
      reader.skip(tag.wire)
      continue
    }
    const [goName, wire, read] = field
    expectWire(tag, wire, goName)
    read()
  }
}
