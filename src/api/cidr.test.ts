/** Networks: what is one, what lies in it, and how it is written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containsCidr, formatNetwork, parseCidr } from './cidr.ts'

test('networks are parsed with their family', () => {
  for (const text of ['10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32', '::/0']) assert.ok(parseCidr(text), text)
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'a/8', '2001:db8::/129', ''])
    assert.equal(parseCidr(text), null, text)
})

test('a network is written without the bits of a host', () => {
  assert.equal(formatNetwork(parseCidr('10.1.2.3/8')!), '10.0.0.0/8')
  assert.equal(formatNetwork(parseCidr('2001:db8::1/32')!), '2001:db8::/32')
})

test('a network contains smaller ones of its family', () => {
  const contains = (outer: string, inner: string): boolean => containsCidr(parseCidr(outer)!, parseCidr(inner)!)
  assert.ok(contains('10.0.0.0/8', '10.96.0.0/16'))
  assert.ok(contains('10.0.0.0/8', '10.0.0.0/8'))
  assert.ok(!contains('10.96.0.0/16', '10.0.0.0/8'))
  assert.ok(!contains('10.0.0.0/8', '192.168.0.0/16'))
  assert.ok(!contains('0.0.0.0/0', '2001:db8::/32'))
})
