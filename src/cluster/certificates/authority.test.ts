/** Certificates as OpenSSL reads them, and the files they are kept in. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createAuthority, isCurrent, issueCertificate } from './authority.ts'
import { loadOrCreateAuthority, loadOrIssue } from './certificate-files.ts'

const clock = new SystemClock()

test('an authority signs certificates for servers and clients', async () => {
  const authority = await createAuthority('kubernetes', clock)
  const pair = await issueCertificate(
    authority,
    {
      commonName: 'alice',
      organizations: ['team-a', 'team-b'],
      hosts: ['localhost', '127.0.0.1'],
      usages: ['client', 'server'],
    },
    clock,
  )
  const certificate = new X509Certificate(pair.certificate)
  assert.equal(certificate.subject, 'O=team-a\nO=team-b\nCN=alice')
  assert.equal(certificate.issuer, 'CN=kubernetes')
  assert.equal(certificate.ca, false)
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  const check = { remainingMs: 0, nowMs: clock.now() }
  assert.ok(isCurrent(pair, authority, { ...check, hosts: ['127.0.0.1'] }))
  assert.ok(!isCurrent(pair, authority, { ...check, hosts: ['10.0.0.1'] }), 'a host that it does not cover')
  assert.ok(!isCurrent(pair, await createAuthority('kubernetes', clock), check), 'signed by another authority')
  assert.ok(!isCurrent(pair, authority, { ...check, remainingMs: 400 * 24 * 3600 * 1000 }), 'ends too soon')
})

test('files are made once, kept private, and replaced when the hosts change', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'))
  try {
    const authority = await loadOrCreateAuthority(folder, 'ca', 'kubernetes', clock)
    assert.deepEqual(await loadOrCreateAuthority(folder, 'ca', 'kubernetes', clock), authority)
    assert.equal((await stat(join(folder, 'ca.key'))).mode & 0o777, 0o600)
    const issue = (hosts: string[]) =>
      loadOrIssue(folder, 'server', authority, { commonName: 'api', hosts, usages: ['server'] }, clock)
    const first = await issue(['localhost'])
    assert.deepEqual(await issue(['localhost']), first)
    assert.notDeepEqual(await issue(['localhost', '10.96.0.1']), first)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a damaged or expired certificate is made anew; an authority is not, and says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'))
  try {
    const authority = await loadOrCreateAuthority(folder, 'ca', 'kubernetes', clock)
    const request = { commonName: 'api', hosts: ['localhost'], usages: ['server'] } as const
    const expired = await issueCertificate(authority, { ...request, validityMs: -1000 }, clock)
    for (const damage of [expired.certificate, 'no certificate']) {
      await loadOrIssue(folder, 'server', authority, request, clock)
      await writeFile(join(folder, 'server.crt'), damage)
      const fresh = await loadOrIssue(folder, 'server', authority, request, clock)
      assert.ok(Date.parse(new X509Certificate(fresh.certificate).validTo) > clock.now())
    }
    const later = new VirtualClock(clock.now() + 11 * 365 * 24 * 3600 * 1000)
    await assert.rejects(loadOrCreateAuthority(folder, 'ca', 'kubernetes', later), /ca.crt expired on 20\d\d-.* remove/)
    await writeFile(join(folder, 'ca.crt'), 'no certificate')
    await assert.rejects(loadOrCreateAuthority(folder, 'ca', 'kubernetes', clock), /ca.crt is no certificate/)
    assert.equal(await readFile(join(folder, 'ca.crt'), 'utf8'), 'no certificate')
  } finally {
    await rm(folder, { recursive: true })
  }
})
