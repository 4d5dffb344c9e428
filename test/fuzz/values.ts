/** Values for a field: sensible ones, neighbours of a given one, and ones that no field wants. */
import type { FieldSchema, ObjectSchema, Schema } from '#machinery/schema/schema.ts'
import type { Dice } from './dice.ts'
import { seenValues } from './objects.ts'

const STRINGS: readonly string[] = [
  '',
  ' ',
  'a',
  'abc',
  'x-y',
  'a.b',
  'a/b',
  'A',
  'Upper',
  '-a',
  'a-',
  'a_b',
  'a..b',
  'a.',
  '1',
  '0',
  '-1',
  '080',
  '1.5',
  'true',
  'a b',
  'a:b',
  'a=b',
  'a,b',
  '/',
  '/a',
  '/a/../b',
  '../a',
  './a',
  'a/../b',
  '..',
  '*',
  '*.example.com',
  '*/*',
  'example.com',
  'example.com/abc',
  'example.com/a/b',
  'Example.com/abc',
  'kubernetes.io/abc',
  'k8s.io/abc',
  'requests.nvidia.com/gpu',
  'hugepages-2Mi',
  'cpu',
  'memory',
  'storage',
  'ephemeral-storage',
  'http://example.com',
  'https://example.com/a?b#c',
  '10.9.8.7',
  '010.9.8.7',
  '10.9.8.7/8',
  '10.0.0.0/8',
  '127.0.0.1',
  '169.254.1.1',
  '224.0.0.1',
  '0.0.0.0',
  '256.1.1.1',
  '::1',
  '::ffff:1.2.3.4',
  'fd00::1',
  'FD00::1',
  'fd00::/64',
  'fe80::1',
  'metadata.name',
  'metadata.labels',
  "metadata.labels['a']",
  "metadata.annotations['a']",
  'spec.nodeName',
  'status.podIP',
  'limits.cpu',
  'requests.memory',
  '2020-01-01T00:00:00Z',
  '2020-01-01T00:00:00.123456Z',
  '5m',
  '@hourly',
  '* * * * *',
  'TZ=UTC * * * * *',
  'Europe/Berlin',
  'system:masters',
  'system:node:n1',
  'default',
  'kube-system',
  '@NAME@',
  'é',
  '日本',
  'a\u0000b',
  'a\nb',
  '%41',
  '50%',
  '$(A)',
  '$$(A)',
  'a'.repeat(15),
  'a'.repeat(16),
  'a'.repeat(63),
  'a'.repeat(64),
  'a'.repeat(253),
  'a'.repeat(254),
  `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
]
const NUMBERS: readonly number[] = [
  0, 1, -1, 2, 3, 5, 10, 30, 99, 100, 101, 255, 256, 1000, 3600, 65_535, 65_536, 86_400, 2_147_483_647, -2_147_483_648,
]
const WIDE_NUMBERS: readonly number[] = [2_147_483_648, 4_294_967_296, 9_007_199_254_740_991, -9_007_199_254_740_991]
const QUANTITIES: readonly unknown[] = [
  '0',
  '1',
  '-1',
  '1.5',
  '100m',
  '1Gi',
  '1500Mi',
  '1e3',
  '0.1m',
  '1n',
  '10E',
  '999999999999',
  2,
  0.5,
  '1Ki',
  '',
]
const TIMES: readonly unknown[] = [
  '2020-01-01T00:00:00Z',
  '2030-01-01T00:00:00Z',
  '2020-01-01T01:00:00+01:00',
  '0001-01-01T00:00:00Z',
  '2020-01-01T00:00:00.5Z',
  null,
  '',
  '2020-01-01',
]
const MICRO_TIMES: readonly unknown[] = [
  '2020-01-01T00:00:00.000000Z',
  '2020-01-01T00:00:00.123456Z',
  '2020-01-01T00:00:00Z',
  null,
  '',
]
const PORTS: readonly unknown[] = [
  80,
  'http',
  0,
  -1,
  65_536,
  '80',
  '',
  'a'.repeat(16),
  '50%',
  '0%',
  '101%',
  '1',
  '-5%',
  1,
  2,
]
const BYTES: readonly unknown[] = [
  '',
  'YQ==',
  'AAEC',
  'YQ',
  'not base64!',
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=',
]
const OTHER_FORMS: readonly unknown[] = [
  null,
  {},
  [],
  [{}],
  [null],
  '',
  'x',
  0,
  -1,
  1.5,
  true,
  false,
  { a: 'b' },
  ['a'],
  1e30,
]

/** A value that is no value of the schema, most often. */
export function valueOfOtherForm(dice: Dice): unknown {
  return dice.pick(OTHER_FORMS)
}

/** A value that the field may well have: one seen elsewhere, or made from the schema. */
export function valueForField(owner: ObjectSchema, field: FieldSchema, dice: Dice): unknown {
  const seen = seenValues(owner, field.name)
  if (seen.length > 0 && dice.chance(0.55)) return structuredClone(dice.pick(seen))
  return valueOfSchema(field.schema, dice, 2)
}

/** Like the given value, but for what may be beside it. */
export function neighbourOf(value: unknown, schema: Schema, dice: Dice): unknown {
  if (typeof value === 'number')
    return value + dice.pick([1, -1, 2, 100, -100, 0.5, 2 ** 31, -(2 ** 31), -value, -value - 1])
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string' && schema.type === 'string') return neighbourOfText(value, dice)
  return valueOfSchema(schema, dice, 2)
}

function neighbourOfText(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1)
  switch (dice.below(8)) {
    case 0:
      return text.toLowerCase() === text ? text.toUpperCase() : text.toLowerCase()
    case 1:
      return `${text.slice(0, at)}${dice.pick(['-', '.', '/', '_', ' ', 'A', '0', ':', 'é', '@'])}${text.slice(at)}`
    case 2:
      return text.slice(0, at) + text.slice(at + 1)
    case 3:
      return text + text
    case 4:
      return `${text}${dice.pick(['a', '1', '-', '/', '.', '='])}`
    case 5:
      return `${dice.pick(['-', '/', '.', 'example.com/', '*', '0'])}${text}`
    case 6:
      return text.repeat(70).slice(0, dice.pick([16, 64, 254, 300, 1025]))
    default:
      return `${text}x`
  }
}

export function valueOfSchema(schema: Schema, dice: Dice, depth: number): unknown {
  switch (schema.type) {
    case 'string':
      return dice.pick(STRINGS)
    case 'boolean':
      return dice.chance(0.5)
    case 'int32':
      return dice.pick(NUMBERS)
    case 'int64':
      return dice.pick(dice.chance(0.8) ? NUMBERS : WIDE_NUMBERS)
    case 'double':
      return dice.pick([...NUMBERS, 0.5, -0.25, 1e21])
    case 'bytes':
      return dice.pick(BYTES)
    case 'quantity':
      return dice.pick(QUANTITIES)
    case 'time':
      return dice.pick(TIMES)
    case 'micro-time':
      return dice.pick(MICRO_TIMES)
    case 'int-or-string':
      return dice.pick(PORTS)
    case 'any':
      return valueOfOtherForm(dice)
    case 'list':
      return Array.from({ length: dice.below(3) }, () => valueOfSchema(schema.items, dice, depth - 1))
    case 'map':
      return Object.fromEntries(
        Array.from({ length: dice.below(3) }, () => [
          dice.pick(STRINGS),
          valueOfSchema(schema.values, dice, depth - 1),
        ]),
      )
    case 'object':
      return objectOfSchema(schema, dice, depth)
  }
}

function objectOfSchema(schema: ObjectSchema, dice: Dice, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (const field of schema.fields.values()) {
    if (!dice.chance(field.required ? 0.8 : 1.5 / schema.fields.size)) continue
    const seen = seenValues(schema, field.name)
    if (seen.length > 0) made[field.name] = structuredClone(dice.pick(seen))
    else if (depth > 0) made[field.name] = valueOfSchema(field.schema, dice, depth - 1)
  }
  return made
}
