/** DER has one way to write each thing; every other way is refused. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { contentOf, elementsIn, encodeElement, identifierOf, UTF8_STRING } from './der.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('elements of any length are read as they were written', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const element = encodeElement(UTF8_STRING, Buffer.alloc(length, 'a'))
    assert.equal(contentOf(element).length, length)
    assert.deepEqual(elementsIn(Buffer.concat([element, element])), [element, element])
  }
})

test('what can be read in two ways is refused', () => {
  const cases = {
    'a padded length': '0c 81 01 61',
    'a length with a leading zero': `0c 82 00 80 ${'61'.repeat(128)}`,
    'no length': '2c 80 0c 01 61 00 00',
    'a longer element than there are bytes': '0c 02 61',
    'a kind of several bytes': '1f 0c 01 61',
    'no more than a kind': '0c',
  }
  for (const [what, bytes] of Object.entries(cases)) assert.throws(() => elementsIn(hex(bytes)), /./, what)
  assert.throws(() => contentOf(hex('0c 01 61 00')), /something follows/)
  assert.throws(() => contentOf(hex('0c 01 61'), 0x13), /of kind 12, not 19/)
})

test('object identifiers', () => {
  assert.equal(identifierOf(hex('06 03 55040a')), '55040a')
  assert.equal(identifierOf(hex('06 03 2a8648')), '2a8648')
  for (const bytes of ['06 04 5504800a', '06 04 8055040a', '06 03 550484', '06 00', '0d 03 55040a'])
    assert.throws(() => identifierOf(hex(bytes)), /identifier|of kind/, bytes)
})
