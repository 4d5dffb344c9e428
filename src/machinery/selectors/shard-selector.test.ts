/** Shard selectors: which values belong to a share, the canonical text, and the refusals of a real kube-apiserver. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf } from './shard-hash.ts'
import { parseShardSelector } from './shard-selector.ts'

const UID = 'object.metadata.uid'
const MIDDLE = '0x8000000000000000'
const LOW = `'0x0000000000000000', '${MIDDLE}'`
const HIGH = `'${MIDDLE}', '0x10000000000000000'`

test('the hash is FNV-1a of 64 bits over the bytes of the text', () => {
  const prime = (1n << 40n) + 0x1b3n
  for (const text of ['', 'a', 'foobar', '88a7b5d6-212a-4b06-8c0e-315edce9574d', 'é😀']) {
    let expected = 0xcbf29ce484222325n
    for (const byte of Buffer.from(text)) expected = BigInt.asUintN(64, (expected ^ BigInt(byte)) * prime)
    const { high, low } = hashOf(text)
    assert.equal((BigInt(high) << 32n) | BigInt(low), expected, text)
  }
  // The published value of this hash.
  assert.deepEqual(hashOf('foobar'), { high: 0x85944171, low: 0xf73967e8 })
})

test('every value belongs to exactly one of two shares, and to their union', () => {
  const low = parseShardSelector(`shardRange(${UID}, ${LOW})`)
  const high = parseShardSelector(`shardRange(${UID}, ${HIGH})`)
  const all = parseShardSelector(`${low.text} || ${high.text}`)
  for (let number = 0; number < 200; number++) {
    const value = `uid-${number}`
    assert.notEqual(low.matches(value), high.matches(value))
    assert.ok(all.matches(value))
  }
  // The lower bound belongs to the range, the upper one does not: foobar is 85944171f73967e8.
  const at = (start: string, end: string) => parseShardSelector(`shardRange(${UID}, '0x${start}', '0x${end}')`)
  assert.ok(at('85944171f73967e8', '85944171f73967e9').matches('foobar'))
  assert.ok(!at('85944171f73967e7', '85944171f73967e8').matches('foobar'))
})

test('however it is written, the text is the one of upstream', () => {
  const text = `shardRange(${UID}, ${LOW})`
  const same = [
    ` ${text} `,
    `(${text})`,
    `object.${text}`,
    `shardRange(${UID},r'0x0000000000000000',"${MIDDLE}")`,
    String.raw`shardRange(${UID},'\x30x0000000000000000','''${MIDDLE}''')`,
    `shardRange(object.metadata.\`uid\`,${LOW})`,
  ]
  for (const other of same) assert.equal(parseShardSelector(other).text, text, other)
  assert.equal(parseShardSelector(`${text}||${text}||${text}`).text, [text, text, text].join(' || '))
  assert.equal(parseShardSelector(`shardRange(object.metadata.namespace, ${LOW})`).field, 'object.metadata.namespace')
})

const BEGINNINGS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const kind = (number: number) => `unexpected expression kind ${number}; expected shardRange() call or || operator`
const unsupported = (name: string) => `unsupported function "${name}"; only shardRange() and || are allowed`
const path = (name: string) =>
  `unsupported field path "${name}"; supported: object.metadata.uid, object.metadata.namespace`
const noPath = (number: number) =>
  `shardRange() first argument: expected field path (e.g. object.metadata.uid), got expression kind ${number}`

/** As recorded from kube-apiserver v1.37.2 with the feature gate on. */
const REFUSED: readonly (readonly [string, string])[] = [
  [' ', 'empty shard selector is not allowed; omit the parameter for unfiltered lists'],
  ['x', kind(3)],
  ['1', kind(5)],
  ['-1', kind(5)],
  ['[1]', kind(4)],
  ["{'a':1}", kind(6)],
  ['a.b', kind(7)],
  ['a.b{}', kind(8)],
  ['x || y', kind(3)],
  ['!!a', kind(3)],
  ['!a', unsupported('!_')],
  ['-a', unsupported('-_')],
  ['a && b', unsupported('_&&_')],
  ['a == b', unsupported('_==_')],
  ['a in b', unsupported('@in')],
  ['a+b-c', unsupported('_-_')],
  ['a[0]', unsupported('_[_]')],
  ['a ? b : c', unsupported('_?_:_')],
  ['has(a.b)', unsupported('has')],
  ['[1].all(x,x>1)', unsupported('all')],
  [`.shardRange(${UID},${LOW})`, unsupported('.shardRange')],
  [`shardRange(${UID})`, 'shardRange() requires exactly 3 arguments, got 1'],
  ["shardRange(1,'a','b')", noPath(5)],
  ["shardRange(object['metadata'].uid,'a','b')", noPath(1)],
  [`shardRange(object.metadata.name,${LOW})`, path('object.metadata.name')],
  [`shardRange(.${UID},${LOW})`, path('.object.metadata.uid')],
  [`shardRange(${UID},x,'b')`, "hexStart must be a string literal (e.g. '0xff'), got expression kind 3"],
  [`shardRange(${UID},1,'b')`, 'hexStart must be a string literal, got int64'],
  [`shardRange(${UID},-1,'b')`, 'hexStart must be a string literal, got int64'],
  [`shardRange(${UID},1u,'b')`, 'hexStart must be a string literal, got uint64'],
  [`shardRange(${UID},1.5,'b')`, 'hexStart must be a string literal, got float64'],
  [`shardRange(${UID},b'x','b')`, 'hexStart must be a string literal, got []uint8'],
  [`shardRange(${UID},true,'b')`, 'hexStart must be a string literal, got bool'],
  [`shardRange(${UID},null,'b')`, 'hexStart must be a string literal, got structpb.NullValue'],
  [`shardRange(${UID},'0X00','')`, `hexStart must have '0x' prefix, got "0X00"`],
  [`shardRange(${UID},'0x','b')`, "hexStart: hex value is required after '0x'"],
  [
    `shardRange(${UID},'0x0','${MIDDLE}')`,
    'hexStart must be a 0x-prefixed 16-digit hex value, got "0x0" (did you mean "0x0000000000000000"?)',
  ],
  [`shardRange(${UID},'0x0000000000000000','0xG')`, 'hexEnd: invalid hex character "G" in "0xG"'],
  [`shardRange(${UID},'0x00"','')`, String.raw`hexStart: invalid hex character "\"" in "0x00\""`],
  [
    `shardRange(${UID},'0x0000000000000000','0x20000000000000000')`,
    `hexEnd: 17-digit hex value must be '0x10000000000000000' (2^64), got "0x20000000000000000"`,
  ],
  [
    `shardRange(${UID},'0x0000000000000000','0x200000000000000000')`,
    'hexEnd: hex value too long (18 chars, max 17): "200000000000000000"',
  ],
  [
    `shardRange(${UID},'${MIDDLE}','0x0000000000000000')`,
    `shard range start ${MIDDLE} must be less than end 0x0000000000000000`,
  ],
  [
    `shardRange(${UID},${LOW})||shardRange(object.metadata.namespace,${LOW})`,
    'all shard ranges must use the same field, got "object.metadata.uid" and "object.metadata.namespace"',
  ],
  ['a b', "CEL parse error: Syntax error: extraneous input 'b' expecting <EOF>"],
  [`shardRange(${UID},${LOW}) ||`, `CEL parse error: Syntax error: mismatched input '<EOF>' expecting ${BEGINNINGS}`],
  ['@', "CEL parse error: Syntax error: token recognition error at: '@'"],
  ['if', 'CEL parse error: reserved identifier: if'],
  ['a.?b', "CEL parse error: unsupported syntax '.?'"],
  ['[?a]', "CEL parse error: unsupported syntax '?'"],
]

test('selectors that cannot be read get the texts of upstream', () => {
  for (const [text, message] of REFUSED) assert.throws(() => parseShardSelector(text), { message }, text)
})
