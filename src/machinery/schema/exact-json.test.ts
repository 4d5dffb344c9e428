/** Bytes that are no JSON are refused in the words of Go's parser, which looks at one byte at a time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError } from './decode-error.ts'
import { jsonSyntaxProblem, parseExactJson } from './exact-json.ts'

test('the offending byte is named as a character of its own', () => {
  const rows: [bytes: number[], problem: string][] = [
    [[0x9a], String.raw`invalid character '\u009a' looking for beginning of value`],
    [[0xe9], "invalid character 'é' looking for beginning of value"],
    [[0x6e, 0x88], String.raw`invalid character '\u0088' in literal null (expecting 'u')`],
    [[0x7b], 'unexpected end of JSON input'],
    [[0x27], String.raw`invalid character '\'' looking for beginning of value`],
    [[0x7b, 0x7d], ''],
  ]
  for (const [bytes, problem] of rows) assert.equal(jsonSyntaxProblem(Buffer.from(bytes)), problem)
  assert.throws(() => parseExactJson('漢'), new DecodeError("invalid character 'æ' looking for beginning of value"))
})
