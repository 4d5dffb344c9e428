/** Messages of gnostic's protobuf forms of OpenAPI, and what its versions share. */
import { writeYaml } from '../http/yaml-writer.ts'
import type { Node } from './schemas.ts'

/** Collects the fields of one message. */
export class Message {
  readonly #parts: Buffer[] = []

  /** Leaves out what is absent. */
  text(field: number, value: unknown): this {
    return typeof value === 'string' ? this.bytes(field, Buffer.from(value)) : this
  }

  texts(field: number, values: unknown): this {
    for (const value of (values ?? []) as string[]) this.text(field, value)
    return this
  }

  flag(field: number, value: unknown): this {
    if (value === true) this.#parts.push(Buffer.concat([varint(field << 3), varint(1)]))
    return this
  }

  /** A `false` that is there: of alternatives, the one that is chosen is written in any case. */
  zero(field: number): this {
    this.#parts.push(Buffer.concat([varint(field << 3), varint(0)]))
    return this
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    this.#parts.push(varint((field << 3) | 1), bytes)
    return this
  }

  message(field: number, message: Message | undefined): this {
    return message === undefined ? this : this.bytes(field, message.finish())
  }

  bytes(field: number, value: Buffer): this {
    this.#parts.push(varint((field << 3) | 2), varint(value.length), value)
    return this
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128)
  bytes.push(value)
  return Buffer.from(bytes)
}

export const nodeOf = (value: unknown): Node => (value ?? {}) as Node
export const entriesOf = (value: unknown): [string, Node][] => Object.entries(nodeOf(value)) as [string, Node][]

export const named = (name: string, value: Message): Message => new Message().text(1, name).message(2, value)

export function addExtensions(message: Message, field: number, node: Node): Message {
  for (const [name, value] of Object.entries(node))
    if (name.startsWith('x-')) message.message(field, named(name, anyOf(value)))
  return message
}

/** Free values travel as YAML. */
export const anyOf = (value: unknown): Message => new Message().text(2, writeYaml(value))
