/** Label and field selectors: matches, canonical texts and errors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFieldSelector } from './field-selector.ts'
import { matcherOf, parseLabelSelector } from './label-selector.ts'

/** Selector, labels that match, labels that do not. */
const MATCHES: readonly (readonly [string, Record<string, string>[], Record<string, string>[]])[] = [
  ['', [{}, { a: 'b' }], []],
  ['a', [{ a: '' }, { a: 'x' }], [{}, { b: 'a' }]],
  ['!a', [{}, { b: 'a' }], [{ a: '' }]],
  ['a=b', [{ a: 'b' }], [{}, { a: 'c' }]],
  ['a==b', [{ a: 'b' }], [{}]],
  ['a=', [{ a: '' }], [{}, { a: 'b' }]],
  ['a!=b', [{}, { a: 'c' }], [{ a: 'b' }]],
  ['a in (b,c)', [{ a: 'b' }, { a: 'c' }], [{}, { a: 'd' }]],
  ['a in ()', [{ a: '' }], [{ a: 'x' }]],
  ['a in (,b)', [{ a: '' }, { a: 'b' }], [{}]],
  ['a notin (b)', [{}, { a: 'c' }], [{ a: 'b' }]],
  ['a>3', [{ a: '4' }], [{}, { a: '3' }, { a: 'x' }]],
  ['a<3', [{ a: '-4' }], [{ a: '3' }, { a: '99999999999999999999' }]],
  ['in=notin,notin in (in)', [{ in: 'notin', notin: 'in' }], [{ in: 'notin' }]],
  ['constructor', [{ constructor: 'x' }], [{}]],
  ['a!=b,!c', [{}, { a: 'x' }], [{ c: '' }]],
]

test('labels match as upstream decides', () => {
  for (const [text, matching, others] of MATCHES) {
    const selector = parseLabelSelector(text)
    for (const labels of matching) assert.ok(selector.matches(labels), `${text} ${JSON.stringify(labels)}`)
    for (const labels of others) assert.ok(!selector.matches(labels), `${text} ${JSON.stringify(labels)}`)
  }
})

/** Selector -> Status message, as recorded from kube-apiserver. */
const ERRORS: Readonly<Record<string, string>> = {
  'bad x': "unable to parse requirement: found 'x', expected: in, notin, =, ==, !=, gt, lt",
  'n>x':
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  'app in (': "unable to parse requirement: found '', expected: ',', ')' or identifier",
  ',': "found ',', expected: !, identifier, or 'end of string'",
  'app=bad value!': "found 'value', expected: ',' or 'end of string'",
  'a,': "found '', expected: identifier after ','",
  'bad key!=x': "unable to parse requirement: found 'key', expected: in, notin, =, ==, !=, gt, lt",
  'app gt 3': "unable to parse requirement: found 'gt', expected: in, notin, =, ==, !=, gt, lt",
  [`app=${'v'.repeat(64)}`]: `unable to parse requirement: values[0][app]: Invalid value: "${'v'.repeat(64)}": must be no more than 63 bytes`,
  'a in (b=c)': "unable to parse requirement: found '=', expected: ',' or ')'",
  'a in b': "unable to parse requirement: found 'b' expected: '('",
  '!': "unable to parse requirement: found '', expected: identifier",
}

test('selectors that cannot be read get upstream texts', () => {
  for (const [text, message] of Object.entries(ERRORS))
    assert.throws(() => parseLabelSelector(text), { code: 400, message }, text)
})

test('the canonical text is sorted by key and by value', () => {
  assert.equal(parseLabelSelector(' z , a in ( c , b ) , !m, k>1').toString(), 'a in (b,c),k>1,!m,z')
  const object = { matchLabels: { b: '1' }, matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['y', 'x'] }] }
  assert.equal(matcherOf(object).toString(), 'a notin (x,y),b=1')
})

test('an absent LabelSelector matches nothing, an empty one everything', () => {
  assert.ok(!matcherOf(undefined).matches({}))
  assert.ok(matcherOf({}).matches(undefined))
  assert.ok(matcherOf({}).isEmpty)
  assert.throws(() => matcherOf({ matchExpressions: [{ key: 'a', operator: 'Gt' }] }), {
    message: '"Gt" is not a valid label selector operator',
  })
})

test('the value that a selector demands of a label', () => {
  assert.equal(parseLabelSelector('a in (b)').exactValue('a'), 'b')
  assert.equal(parseLabelSelector('a in (b,c)').exactValue('a'), undefined)
  assert.equal(parseLabelSelector('a!=b').exactValue('a'), undefined)
})

test('field selectors with escapes', () => {
  const selector = parseFieldSelector(String.raw`b!=x\,y,,a==1\=2`)
  assert.deepEqual(selector.terms, [
    { field: 'a', operator: '=', value: '1=2' },
    { field: 'b', operator: '!=', value: 'x,y' },
  ])
  assert.equal(selector.toString(), String.raw`a=1\=2,b!=x\,y`)
  assert.ok(selector.matches((field) => (field === 'a' ? '1=2' : '')))
  assert.equal(selector.exactValue('a'), '1=2')
  assert.equal(selector.exactValue('b'), undefined)
})

test('field selectors that cannot be read', () => {
  const cases: Record<string, string> = {
    'metadata.name': "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
    'metadata.name in (a)': "invalid selector: 'metadata.name in (a)'; can't understand 'metadata.name in (a)'",
    'a=b=c': 'invalid field selector: unescaped character in value: 61',
    [String.raw`a=\x`]: String.raw`invalid field selector: invalid escape sequence: \x`,
    'a=b\\': 'invalid field selector: invalid escape sequence: \\',
  }
  for (const [text, message] of Object.entries(cases))
    assert.throws(() => parseFieldSelector(text), { code: 400, message }, text)
})
