/** Parts of CustomResourceDefinitions that are one of two things in JSON: on the wire, messages with a field for each. */
import { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

const PACKAGE = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** The type of the schemas in them, which the codec reads and writes itself. */
export const UNION_SCHEMA = `${PACKAGE}.JSONSchemaProps`

export type UnionType = {
  write(writer: WireWriter, value: unknown, writeSchema: (value: unknown) => void): void
  read(message: Buffer, readSchema: (message: Buffer) => unknown): unknown
}

export const UNION_TYPES: Readonly<Record<string, UnionType>> = {
  [`${PACKAGE}.JSONSchemaPropsOrBool`]: {
    write(writer, value, writeSchema) {
      if (typeof value !== 'boolean') writer.message(2, () => writeSchema(value))
      writer.integer(1, value === false ? 0 : 1)
    },
    read(message, readSchema) {
      const [allows, schema] = fieldsOf(message)
      return schema === undefined ? allows?.[0] === 1n : readSchema(schema[0] as Buffer)
    },
  },
  [`${PACKAGE}.JSONSchemaPropsOrArray`]: {
    write(writer, value, writeSchema) {
      if (!Array.isArray(value)) return writer.message(1, () => writeSchema(value))
      for (const schema of value.toReversed()) writer.message(2, () => writeSchema(schema))
    },
    read(message, readSchema) {
      const [schema, list] = fieldsOf(message)
      if (list !== undefined) return list.map((one) => readSchema(one as Buffer))
      return schema === undefined ? undefined : readSchema(schema[0] as Buffer)
    },
  },
  [`${PACKAGE}.JSONSchemaPropsOrStringArray`]: {
    write(writer, value, writeSchema) {
      if (!Array.isArray(value)) return writer.message(1, () => writeSchema(value))
      for (const text of (value as string[]).toReversed()) writer.text(2, text)
    },
    read(message, readSchema) {
      const [schema, list] = fieldsOf(message)
      if (list !== undefined) return list.map((text) => (text as Buffer).toString())
      return schema === undefined ? undefined : readSchema(schema[0] as Buffer)
    },
  },
}

type Values = (bigint | Buffer)[]

/** The values of fields 1 and 2. */
function fieldsOf(message: Buffer): [Values | undefined, Values | undefined] {
  const fields: [Values | undefined, Values | undefined] = [undefined, undefined]
  const reader = new WireReader(message)
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag()
    if (number !== 1 && number !== 2) reader.skip(wire)
    else (fields[number - 1] ??= []).push(wire === 2 ? (reader.bytes() as Buffer) : reader.varint())
  }
  return fields
}
