/** Subjects: what is read of them, and that nothing else gets into a certificate. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { parseRequest, requestProblem } from './certificate-request.ts'
import { encodeElement } from './der.ts'
import { parseSubject } from './subject.ts'
import { attributeOf, requestOf, textOf } from './testing.ts'

const [CN, O, EMAIL] = ['550403', '55040a', '2a864886f70d010901']
const NODE = [attributeOf(O, textOf('system:nodes')), attributeOf(CN, textOf('system:node:n'))]

const read = (attributes: readonly Buffer[]) => parseRequest(requestOf(attributes)).subject

test('what is read is what is written', () => {
  const subject = read([...NODE, attributeOf(O, textOf('älter'.repeat(9))), attributeOf(EMAIL, textOf('x@y.z'))])
  assert.deepEqual(subject.organizations, ['system:nodes', 'älter'.repeat(9)])
  assert.equal(subject.commonName, 'system:node:n')
  assert.deepEqual(parseSubject(subject.der), subject, 'the address was left out, and nothing is lost when read again')
})

test('of several common names only the last is one', () => {
  const subject = read([attributeOf(CN, textOf('kubernetes-admin')), ...NODE])
  assert.equal(subject.commonName, 'system:node:n')
  assert.equal(subject.der.includes('kubernetes-admin'), false)
})

test('texts of several kinds', () => {
  const value = (tag: number, hex: string): string =>
    read([attributeOf(CN, encodeElement(tag, Buffer.from(hex, 'hex')))]).commonName
  assert.equal(value(0x1e, '00610062'), 'ab')
  assert.equal(value(0x14, 'e4'), 'ä')
  assert.equal(value(0x13, '6162'), 'ab')
  assert.equal(value(0x30, '6162'), '', 'no text')
  for (const [tag, hex] of [
    [0x0c, 'ff'],
    [0x13, 'e4'],
    [0x1e, '61'],
  ] as const)
    assert.throws(() => value(tag, hex))
})

test('what another reader would read otherwise is no request', () => {
  const smuggled = {
    'a padded identifier': attributeOf('5504800a', textOf('system:masters')),
    'two values': attributeOf(O, textOf('system:masters'), textOf('system:nodes')),
    'a sequence instead of a set': encodeElement(0x30, attributeOf(O, textOf('system:masters')).subarray(2)),
    'an identifier of another kind': encodeElement(
      0x31,
      encodeElement(0x30, encodeElement(0x0d, Buffer.from(O, 'hex')), textOf('system:masters')),
    ),
  }
  for (const [what, attribute] of Object.entries(smuggled))
    assert.equal(requestProblem(requestOf([...NODE, attribute])), 'x509: malformed certificate request', what)
  assert.equal(requestProblem(requestOf(NODE)), undefined)
})
