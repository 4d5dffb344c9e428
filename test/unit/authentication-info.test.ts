/** Servers of one cluster publish their authorities together, and drop those that have expired. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createAuthority } from '#cluster/certificates/authority.ts'
import { combineAuthenticationInfo } from '#control-plane/apiserver/bootstrap/authentication-info.ts'

const YEAR_MS = 365 * 24 * 3600 * 1000

async function authority(nowMs: number): Promise<string> {
  return (await createAuthority('ca', new VirtualClock(nowMs))).certificate
}

const headers = {
  allowedNames: ['front-proxy-client'],
  usernameHeaders: ['x-remote-user'],
  uidHeaders: [],
  groupHeaders: ['x-remote-group'],
  extraHeaderPrefixes: ['x-remote-extra-'],
}

test('without a front proxy there is only the authority of clients', async () => {
  const clientCa = await authority(0)
  const data = combineAuthenticationInfo({}, { clientCa, requestHeader: null }, YEAR_MS)
  assert.deepEqual(Object.keys(data), ['client-ca-file'])
  assert.deepEqual(combineAuthenticationInfo(data, { clientCa, requestHeader: null }, YEAR_MS), data, 'twice is once')
})

test('a second server adds its own, and what has expired goes', async () => {
  const [first, second, front] = [await authority(0), await authority(5 * YEAR_MS), await authority(0)]
  const one = combineAuthenticationInfo(
    {},
    { clientCa: first, requestHeader: { ...headers, clientCa: front } },
    YEAR_MS,
  )
  assert.equal(one['requestheader-username-headers'], '["X-Remote-User"]')
  assert.equal(one['requestheader-extra-headers-prefix'], '["X-Remote-Extra-"]')
  assert.equal(one['requestheader-allowed-names'], '["front-proxy-client"]')
  assert.equal(one['requestheader-uid-headers'], undefined)
  const other = { ...headers, clientCa: front, allowedNames: ['other'], uidHeaders: ['x-remote-uid'] }
  const both = combineAuthenticationInfo(one, { clientCa: second, requestHeader: other }, 6 * YEAR_MS)
  assert.equal(both['client-ca-file']!.match(/BEGIN/g)!.length, 2)
  assert.equal(both['requestheader-client-ca-file']!.match(/BEGIN/g)!.length, 1)
  assert.equal(both['requestheader-allowed-names'], '["front-proxy-client","other"]')
  assert.equal(both['requestheader-uid-headers'], '["X-Remote-Uid"]')
  const later = combineAuthenticationInfo(both, { clientCa: second, requestHeader: null }, 12 * YEAR_MS)
  assert.deepEqual(Object.keys(later), ['client-ca-file'])
  assert.equal(later['client-ca-file']!.match(/BEGIN/g)!.length, 1)
})

test('a list that is none is not overwritten', () => {
  const own = { clientCa: '', requestHeader: null }
  assert.throws(() => combineAuthenticationInfo({ 'requestheader-allowed-names': '{}' }, own, 0), /"\{\}" is no list/)
})
