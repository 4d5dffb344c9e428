/** Addresses in objects: accepted forms, canonical forms, warnings. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { FieldError } from '#machinery/field-error.ts'
import { canonicalIp, checkIp, ipWarnings, isDualStack, parseSloppy } from './ip.ts'

function problemsOf(value: string): string[] {
  const errors: FieldError[] = []
  checkIp(errors, 'ip', value)
  return errors.map(({ message }) => message)
}

test('plain addresses are accepted, old forms named', () => {
  assert.deepEqual(problemsOf('10.0.0.1'), [])
  assert.deepEqual(problemsOf('fd00::1'), [])
  assert.match(problemsOf('10.00.0.1').join(), /must not have leading 0s$/)
  assert.match(problemsOf('::ffff:1.2.3.4').join(), /must not be an IPv4-mapped IPv6 address$/)
  assert.match(problemsOf('fe80::1%eth0').join(), /must be a valid IP address/)
  assert.match(problemsOf('1.2.3').join(), /must be a valid IP address/)
})

test('canonical forms', () => {
  assert.equal(parseSloppy('010.000.0.1'), '10.0.0.1')
  assert.equal(canonicalIp('FD00:0:0::1'), 'fd00::1')
  assert.equal(canonicalIp('::ffff:1.2.3.4'), '1.2.3.4')
  assert.equal(canonicalIp('nonsense'), '')
})

test('warnings say what to write instead', () => {
  assert.deepEqual(ipWarnings('spec.ip', '10.0.0.1'), [])
  assert.deepEqual(ipWarnings('spec.ip', '10.0.0.01'), [
    'spec.ip: non-standard IP address "10.0.0.01" is invalid: use "10.0.0.1"',
  ])
  assert.deepEqual(ipWarnings('spec.ip', 'FD00::1'), [
    'spec.ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ])
})

test('two families are dual stack', () => {
  assert.ok(isDualStack(['10.0.0.1', 'fd00::1']))
  assert.ok(!isDualStack(['10.0.0.1', '10.0.0.2']))
})
