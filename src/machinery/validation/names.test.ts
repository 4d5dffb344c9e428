/** Tables of names that Kubernetes accepts and refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isCIdentifier,
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvVarName,
  isHttpHeaderName,
  isPathSegmentName,
  isQualifiedName,
  isRelaxedEnvVarName,
  isValidConditionReason,
  isValidLabelValue,
  isValidPercent,
  isValidPortName,
  isValidPortNum,
  isWildcardDns1123Subdomain,
} from './names.ts'

const long = (length: number): string => 'a'.repeat(length)

/** Check, values it accepts, values it refuses. */
const TABLE: readonly (readonly [(value: string) => string[], readonly string[], readonly string[]])[] = [
  [isDns1123Label, ['a', '0-9', long(63)], ['', 'A', 'a_b', '-a', 'a-', 'a.b', 'a\n', long(64)]],
  [isDns1123Subdomain, ['a', 'a.b-c.0', long(253)], ['', 'a..b', '.a', 'a.', 'A.b', 'a b', long(254)]],
  [isDns1035Label, ['a', 'a-0', long(63)], ['', '0a', 'a.b', '-a', long(64)]],
  [isWildcardDns1123Subdomain, ['*.a', '*.example.com'], ['', '*', 'a', '*a.b', '*.*.a', '*.']],
  [
    isQualifiedName,
    ['a', 'A_b.c-d', 'example.com/a', `${long(253)}/${long(63)}`],
    ['', '/', 'a/', '/a', 'a/b/c', 'A.com/a', '-a', 'a-', 'a b', long(64), `${long(254)}/a`],
  ],
  [isValidLabelValue, ['', 'a', 'A_b.c-0', long(63)], ['-a', 'a-', 'a b', 'ä', long(64)]],
  [isCIdentifier, ['_', 'a0', 'A_B'], ['', '0a', 'a-b']],
  [isValidPortName, ['http', 'a-0', '1a'], ['', '80', 'HTTP', '-a', 'a-', 'a--b', 'a_b', long(16)]],
  [isValidPercent, ['0%', '100%', '1234%'], ['', '%', '10', '1.5%', '-1%', '10%%']],
  [isHttpHeaderName, ['X-Header', 'a'], ['', 'a:b', 'a b', 'a_b']],
  [isEnvVarName, ['a', '_A.b-c', '.a', '-a'], ['', '0a', 'a=b', '.', '..', '..a']],
  [isRelaxedEnvVarName, ['0a', 'a b', '..', '!'], ['', 'a=b', 'ä', 'a\n']],
  [isConfigMapKey, ['a', '.a', 'A_b-c.d', long(253)], ['', 'a/b', '.', '..', '..a', long(254)]],
  [isValidConditionReason, ['A', 'a_b', 'A:b', 'A,b'], ['', '0', 'a:', 'a b']],
  [isPathSegmentName, ['a', 'system:a', '...', 'A b'], ['.', '..', 'a/b', 'a%b']],
]

test('each check accepts and refuses what Kubernetes does', () => {
  for (const [check, good, bad] of TABLE) {
    for (const value of good) assert.deepEqual(check(value), [], `${check.name} ${JSON.stringify(value)}`)
    for (const value of bad) assert.notDeepEqual(check(value), [], `${check.name} ${JSON.stringify(value)}`)
  }
})

test('the complaints are those of Kubernetes', () => {
  assert.deepEqual(isDns1123Label('A'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ])
  assert.deepEqual(isDns1123Label('a.b'), ['must not contain dots'])
  assert.deepEqual(isDns1123Subdomain(`${long(254)}!`), [
    'must be no more than 253 characters',
    String.raw`a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ])
  assert.deepEqual(isQualifiedName('/'), [
    'prefix part must be non-empty',
    'name part must be non-empty',
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ])
  assert.deepEqual(isValidLabelValue(long(64)), ['must be no more than 63 bytes'])
  assert.deepEqual(isValidPortNum(0), ['must be between 1 and 65535, inclusive'])
  assert.deepEqual(isConfigMapKey('..'), ["must not be '..'"])
})
