/** Bodies: valid objects, objects with odd values, and texts and bytes that are none. */
import { dump } from 'js-yaml'
import { toProtobuf } from '#machinery/protobuf/envelope.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { Dice } from './dice.ts'
import { mutate } from './mutate.ts'
import type { Body } from './objects.ts'

export type Sent = { readonly bytes: Buffer; readonly type: string }

const JSON_TYPE = 'application/json'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const ODD_TEXTS = [
  '',
  'null',
  '[]',
  '{',
  '"x"',
  '1e999',
  '{"a":NaN}',
  '\u0000',
  '{}{}',
  '{"metadata":null}',
  '\ufeff{}',
  '- a',
  'a: &x [*x]',
  '%TAG ! x',
  '!!binary x',
]
const ODD_PARTS = [
  '"a":1e400,',
  '"a":123456789012345678901234567890,',
  '"metadata":{},',
  '"kind":"Pod",',
  '"\\ud800":"\\udfff",',
  '"\\u0000":0,',
  '"__proto__":{"x":1},',
  '"constructor":null,',
  '"spec":null,',
  '"a":-0,',
]
const DEEP = [50, 500, 9990, 20_000]

/** A changed copy of an object; mostly in a few fields, and now and then in its metadata as well. */
export function oddObject(kind: KindDefinition, body: Body, dice: Dice): Body {
  const copy = structuredClone(body)
  const schema = schemaOf(kind.schema)
  const fields = [...schema.fields.keys()].filter(
    (name) => dice.chance(0.1) || (name !== 'apiVersion' && name !== 'kind' && name !== 'metadata'),
  )
  for (let i = dice.below(4); i > 0 && fields.length > 0; i--) mutate(copy, schema, dice, { otherForms: 0.25, fields })
  return copy
}

/** An object as a client sends it, or what a broken client makes of it. */
export function encodeOddly(kind: KindDefinition, object: unknown, dice: Dice): Sent {
  const way = dice.weighted({ json: 12, yaml: 2, protobuf: 2, text: 2, bytes: 0.7, type: 0.5, long: 0.05 })
  const text = JSON.stringify(object) ?? ''
  if (way === 'yaml') return { bytes: Buffer.from(yamlOf(object, dice)), type: 'application/yaml' }
  if (way === 'protobuf') return { bytes: protobufOf(kind, object, dice), type: PROTOBUF }
  if (way === 'text') return { bytes: Buffer.from(oddText(text, dice)), type: JSON_TYPE }
  if (way === 'bytes')
    return { bytes: dice.bytes(dice.below(200)), type: dice.pick([JSON_TYPE, 'application/yaml', PROTOBUF]) }
  if (way === 'type')
    return {
      bytes: Buffer.from(text),
      type: dice.pick([
        'text/plain',
        '',
        'application/yaml',
        PROTOBUF,
        'application/json; charset=utf-16',
        'a/b;c',
        'application/cbor',
        '*/*',
      ]),
    }
  if (way === 'long')
    return { bytes: Buffer.from(text.replace('{', `{"x":[${'1,'.repeat(200_000)}1],`)), type: JSON_TYPE }
  return { bytes: Buffer.from(text), type: JSON_TYPE }
}

function oddText(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1)
  switch (dice.below(5)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return dice.pick(ODD_TEXTS)
    case 2:
      return text.replace('{', `{${dice.pick(ODD_PARTS)}`)
    case 3: {
      const depth = dice.pick(DEEP)
      return text.replace('{', `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},`)
    }
    default:
      return `${text.slice(0, at)}${dice.pick(['"', '\\', ',', '}', '\u0000', 'é', '\ud83d', '0', 'null', '/*'])}${text.slice(at)}`
  }
}

function yamlOf(object: unknown, dice: Dice): string {
  const text = dump(object, { noRefs: true })
  return dice.chance(0.7) ? text : oddText(text, dice)
}

/** A value that has no form on the wire makes no message: then random bytes stand in. */
function protobufOf(kind: KindDefinition, object: unknown, dice: Dice): Buffer {
  let message: Buffer
  try {
    message = toProtobuf(object as Body, kind.schema)
  } catch {
    message = dice.bytes(40)
  }
  if (dice.chance(0.4)) return message
  const copy = Buffer.from(message)
  switch (dice.below(4)) {
    case 0:
      return copy.subarray(0, dice.below(copy.length))
    case 1:
      return Buffer.concat([
        copy.subarray(0, dice.below(copy.length)),
        Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
        copy,
      ])
    case 2:
      return Buffer.concat([copy, dice.bytes(12)])
    default: {
      for (let i = 1 + dice.below(4); i > 0; i--) copy[4 + dice.below(Math.max(1, copy.length - 4))] = dice.below(256)
      return copy
    }
  }
}
