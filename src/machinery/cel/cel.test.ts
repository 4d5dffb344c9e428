/** Expressions that a real API server compiles, and those that it refuses, in its words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expressionProblem } from './check-expression.ts'

const scope = { variables: new Set(['object', 'oldObject', 'request', 'authorizer']), composed: new Set(['x']) }

const ACCEPTED = String.raw`
object.spec.containers.all(c, c.image.startsWith('x'))
object.spec.containers.exists(i, c, i < 2 && c.name != '')
has(object.metadata.labels) && 'a' in object.metadata.labels
object.metadata.name.matches(r"^a\d+$") || r'\' == '\\'
object.metadata.name == "a\"b" || object.metadata.name == 'it\'s'
"""a "quoted" text""" == object.metadata.name
b'abc' == b"\x00\377" || br'x' == B"x" || '\u00e9' == 'é'
[1, 2, 3,].map(x, x > 1, x * 2).size() > 0
{'a': 1, 'b': 2,}.all(k, v, v > 0)
object.?metadata.?labels[?'x'].orValue('y') == 'y'
optional.none().hasValue() || [?optional.of(1)].size() == 1
quantity('1Gi').isGreaterThan(quantity('1Mi'))
format.dns1123Label().validate('a').hasValue()
!!true && !(!true) && - 1 < 2 && 1 - -1 == 2
1u + 2u == 3u && 0xFF == 255 && 1.5e3 > 2.0 && .5 < 1.0
true ? false : true ? true : false
object.metadata.name == 'x' // the end is a comment
type(1) == int && int('1') == 1
google.protobuf.Duration{seconds: 1} == duration('1s')
Object{spec: Object.spec{replicas: 1}} == null
request.userInfo.groups.exists_one(g, g == 'x')
authorizer.group('').resource('pods').check('get').allowed()
{'a':1}.transformMapEntry(k, v, {v: k}).size() == 1
[[[1]]][0][0][0] == 1 && variables.x == .object.spec.replicas
`

test('what a real server compiles is accepted', () => {
  for (const expression of ACCEPTED.trim().split('\n'))
    assert.equal(expressionProblem(expression, scope), null, expression)
  assert.equal(expressionProblem("object.a &&\n  object.b == '''two\nlines'''", scope), null)
})

const BEGINNINGS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

test('what it refuses is refused, with the place', () => {
  const rows: [string, string][] = [
    ['Bad_name!', "<input>:1:9: Syntax error: extraneous input '!' expecting <EOF>\n | Bad_name!\n | ........^"],
    ['', `<input>:1:0: Syntax error: mismatched input '<EOF>' expecting ${BEGINNINGS}`],
    ['/x', `<input>:1:1: Syntax error: extraneous input '/' expecting ${BEGINNINGS}\n | /x\n | ^`],
    ['x < 5', "<input>:1:1: undeclared reference to 'x' (in container '')\n | x < 5\n | ^"],
    ['variables.y < 5', "<input>:1:10: undefined field 'y'\n | variables.y < 5\n | .........^"],
    ['true\n&& y', "<input>:2:4: undeclared reference to 'y' (in container '')\n | && y\n | ...^"],
  ]
  for (const [expression, text] of rows)
    assert.equal(expressionProblem(expression, scope), `compilation failed: ERROR: ${text}`, expression)
})

const REFUSED = String.raw`
true ||
|| true
object.metadata.
object..metadata
object.spec[0
object.spec[]
size(object,)
{'a'}
'abc
'a' 'b'
object @ 1
if == 1
in object
object.x in
object.a.b(1)(2)
"\q" == ''
"\xZZ" == ''
rb'x' == b'x'
a ? b
[1].all(x, x > 0) && x > 0
[1].map(x, y)
!-object.x
`

test('broken expressions of every sort are refused', () => {
  for (const expression of REFUSED.trim().split('\n'))
    assert.match(expressionProblem(expression, scope) ?? 'accepted', /^compilation failed: ERROR: /, expression)
  assert.match(expressionProblem('('.repeat(300), scope)!, /recursion limit exceeded/)
  assert.match(expressionProblem('variables.x', { variables: new Set() })!, /undeclared reference to 'variables'/)
})

test('one token too many is told, and what follows is read', () => {
  const begin =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
  assert.equal(
    expressionProblem('/object.a/..', scope),
    [
      `compilation failed: ERROR: <input>:1:1: Syntax error: extraneous input '/' expecting ${begin}`,
      ' | /object.a/..',
      ' | ^',
      "ERROR: <input>:1:12: Syntax error: no viable alternative at input '..'",
      ' | /object.a/..',
      ' | ...........^',
    ].join('\n'),
  )
  assert.match(
    expressionProblem('/object.a', scope)!,
    /^compilation failed: ERROR: <input>:1:1: [^\n]*\n[^\n]*\n[^\n]*$/,
  )
})

test('broken expressions are told as far as upstream reads on', () => {
  const begin =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
  const rows: [expression: string, ...problems: string[]][] = [
    ['(true', "1:6: Syntax error: missing ')' at '<EOF>'"],
    ['(true x)', "1:7: Syntax error: extraneous input 'x' expecting ')'"],
    ['[1 2]', "1:4: Syntax error: extraneous input '2' expecting {']', ','}"],
    ['[1,,2]', "1:4: Syntax error: mismatched input ',' expecting ']'"],
    ['[1,2,', "1:6: Syntax error: missing ']' at '<EOF>'"],
    ['{1 2}', "1:4: Syntax error: missing ':' at '2'"],
    ['{1:2,', "1:6: Syntax error: missing '}' at '<EOF>'"],
    ['1 2 3', "1:3: Syntax error: mismatched input '2' expecting <EOF>"],
    ['.', "1:2: Syntax error: no viable alternative at input '.'"],
    ['for', '1:1: reserved identifier: for'],
    ['.a', "1:2: undeclared reference to '.a' (in container '')"],
    [
      '* * 1',
      `1:1: Syntax error: mismatched input '*' expecting ${begin}`,
      `1:3: Syntax error: extraneous input '*' expecting ${begin}`,
    ],
    [
      '"\\q"',
      String.raw`1:1: Syntax error: token recognition error at: '"\q'`,
      `1:4: Syntax error: token recognition error at: '"'`,
      `1:5: Syntax error: mismatched input '<EOF>' expecting ${begin}`,
    ],
  ]
  for (const [expression, ...problems] of rows) {
    const found = [...expressionProblem(expression, scope)!.matchAll(/ERROR: <input>:(.*)/g)].map((match) => match[1])
    assert.deepEqual(found, problems, expression)
  }
})

test('what is too large or too deep is refused as a whole', () => {
  const tooDeep = '<input>:-1:0: expression recursion limit exceeded: 250'
  const tooLong = '<input>:-1:0: max recursion depth exceeded'
  const size = 100_013
  const rows: [what: string, of: (count: number) => string, largest: number, problem: string][] = [
    ['parentheses', (count) => `${'('.repeat(count)}true${')'.repeat(count)}`, 249, tooDeep],
    ['ternaries', (count) => `${'true ? true : '.repeat(count)}true`, 249, tooDeep],
    ['sums', (count) => `1${'+1'.repeat(count)} == 1`, 249, tooLong],
    ['products', (count) => `1${'*1'.repeat(count)} == 1`, 249, tooLong],
    ['comparisons', (count) => `true${'==true'.repeat(count)}`, 250, tooLong],
    ['selections', (count) => `object${'.a'.repeat(count)} == 1`, 249, tooLong],
    ['indexes', (count) => `object${'[0]'.repeat(count)} == 1`, 249, tooLong],
  ]
  for (const [what, of, largest, problem] of rows) {
    assert.equal(expressionProblem(of(largest), scope), null, what)
    for (const count of [largest + 1, 30_000])
      if (of(count).length < size)
        assert.equal(expressionProblem(of(count), scope), `compilation failed: ERROR: ${problem}`, what)
  }
  assert.equal(
    expressionProblem(`"${'é'.repeat(size - 9)}" == "a"`, scope),
    `compilation failed: ERROR: <input>:-1:0: expression code point size exceeds limit: size: ${size}, limit 100000`,
  )
  // Each code point counts once.
  assert.equal(expressionProblem(`"${'😀'.repeat(60_000)}" == "a"`, scope), null)
})

test('long runs of operators, and chains in parentheses, do not exhaust the stack', () => {
  for (const operator of ['&&', '||'])
    assert.equal(expressionProblem(`true${`${operator}true`.repeat(15_000)}`, scope), null)
  const nested = Array.from({ length: 190 }).reduce<string>((inner) => `(${inner}${'.a'.repeat(249)})`, 'object')
  assert.equal(expressionProblem(`${nested}.b == 1`, scope), null)
  const unknown = nested.replace('object', 'nothing')
  assert.match(expressionProblem(`${unknown}.b == 1`, scope)!, /undeclared reference to 'nothing'/)
  assert.equal(expressionProblem(`${'!'.repeat(99_000)}true`, scope), null)
})
