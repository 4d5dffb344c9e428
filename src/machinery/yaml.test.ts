/** YAML as Kubernetes reads it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatYaml, parseYaml, parseYamlDocuments, parseYamlStrictly } from './yaml.ts'

/** Text of a value -> what Kubernetes' YAML reader makes of it. */
const SCALARS: readonly (readonly [string, unknown])[] = [
  ['yes', true],
  ['y', true],
  ['Off', false],
  ['0777', 511],
  ['0o17', 15],
  ['0x1F', 31],
  ['089', 89],
  ['1_000', 1000],
  ['1:30', '1:30'],
  ['2001-01-01', '2001-01-01'],
  ['2001-01-01T00:00:00Z', '2001-01-01T00:00:00Z'],
  ['1.5', 1.5],
  ['1e3', 1000],
  ['~', null],
  ['', null],
  ['"yes"', 'yes'],
  ['12345678901234567', 12_345_678_901_234_567n],
  ['!!binary aGk=', 'hi'],
]

test('plain scalars follow YAML 1.1 as Go reads it', () => {
  for (const [text, value] of SCALARS) assert.deepEqual(parseYaml(`a: ${text}\n`), { a: value }, text)
})

test('keys become text, whatever they look like', () => {
  assert.deepEqual(
    parseYaml('1: a\ntrue: b\n1.5: c\n__proto__: d\n'),
    JSON.parse('{"1":"a","true":"b","1.5":"c","__proto__":"d"}'),
  )
})

test('merge keys and aliases are expanded', () => {
  assert.deepEqual(parseYaml('x: &a {b: 1}\nz: {<<: *a, c: 2}\n'), { x: { b: 1 }, z: { b: 1, c: 2 } })
})

test('only the first document counts, and an empty text is nothing', () => {
  assert.deepEqual(parseYaml('a: 1\n---\nb: 2\n'), { a: 1 })
  assert.equal(parseYaml(' \n'), null)
  assert.deepEqual(parseYamlDocuments('---\na: 1\n---\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }])
})

test('duplicate keys are named with their line, and the last one wins', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, name: zz}\ndata:\n  a: x\n  a: z\n'
  const { value, duplicates } = parseYamlStrictly(text)
  assert.deepEqual(value, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'zz' }, data: { a: 'z' } })
  assert.deepEqual(duplicates, ['line 3: key "name" already set in map', 'line 6: key "a" already set in map'])
})

test('the same key in sibling mappings is no duplicate', () => {
  assert.deepEqual(parseYamlStrictly('a: [{b: 1}, {b: 2}]\nc: {b: 3, d: {b: 4}}\n').duplicates, [])
})

test('broken text is refused with its line, unless that is the first', () => {
  const rows: [text: string, problem: string][] = [
    ['a: [b', "line 1: did not find expected ',' or ']'"],
    ['a: {b', "line 1: did not find expected ',' or '}'"],
    ['{a: b: c}', "did not find expected ',' or '}'"],
    ['a: b: c', 'mapping values are not allowed in this context'],
    ['x: 1\na: b: c', 'line 2: mapping values are not allowed in this context'],
    ['"abc', 'found unexpected end of stream'],
    ['a: *x', "unknown anchor 'x' referenced"],
    ['a: &x [*x]', "anchor 'x' value contains itself"],
    ['a: `b', 'found character that cannot start any token'],
    [String.raw`a: "\q"`, 'found unknown escape character'],
    ['%', 'could not find expected directive name'],
  ]
  for (const [text, problem] of rows) assert.throws(() => parseYaml(text), { message: `yaml: ${problem}` })
})

test('a small text that stands for billions of values is refused', () => {
  const lines = ['a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]']
  for (let level = 1; level < 10; level++)
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
  assert.throws(() => parseYaml(lines.join('\n')), /excessive aliasing/)
})

test('what is written reads back the same', () => {
  const value = { a: ['yes', '0777', 1, true, null, { b: '' }], c: '1:30\nx' }
  assert.deepEqual(parseYaml(formatYaml(value)), value)
})
