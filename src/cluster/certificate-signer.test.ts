/** Certificates for requests, as OpenSSL reads them, from authorities with keys of several kinds. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { parseRequest } from '#api/certificates/certificate-request.ts'
import { attributeOf, requestOf, textOf } from '#api/certificates/testing.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createCertificateSigner } from './certificate-signer.ts'
import { createAuthority } from './certificates/authority.ts'

const [FROM, UNTIL] = ['2026-01-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z']
const USAGES = ['digital signature', 'key encipherment', 'client auth', 'server auth']

async function withFolder(
  work: (openssl: (...args: string[]) => string, read: (file: string) => string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'signer-'))
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    await work(openssl, (file) => readFileSync(join(folder, file), 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['rsa:2048'],
  'P-256': ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  'P-384': ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'],
}

for (const [kind, key] of Object.entries(KEYS))
  test(`an authority with a key of ${kind} signs what is asked for, and nothing else`, () =>
    withFolder(async (openssl, read) => {
      openssl(
        'req',
        '-x509',
        '-newkey',
        ...key,
        '-nodes',
        '-subj',
        '/CN=authority',
        '-keyout',
        'ca.key',
        '-out',
        'ca.crt',
        '-days',
        '3650',
      )
      const names = 'subjectAltName=DNS:a.example,IP:10.0.0.1,IP:fd00::1,email:x@y.z,URI:https://e.x/p'
      const extensions = ['-addext', names, '-addext', 'basicConstraints=CA:TRUE']
      openssl(
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-subj',
        '/O=team-a/O=team-b/CN=alice',
        '-keyout',
        'key',
        '-out',
        'request',
        ...extensions,
      )
      const signer = createCertificateSigner({ certificate: read('ca.crt'), privateKey: read('ca.key') })
      const request = Buffer.from(read('request')).toString('base64')
      const validity = { notBeforeMs: Date.parse(FROM), notAfterMs: Date.parse(UNTIL) }
      const text = await signer.sign({ request, names: parseRequest(request), usages: USAGES, ...validity })
      const certificate = new X509Certificate(text)
      const authority = new X509Certificate(read('ca.crt'))
      assert.equal(signer.endMs, Date.parse(authority.validTo))
      assert.ok(certificate.verify(authority.publicKey) && certificate.checkIssued(authority))
      assert.equal(certificate.subject, 'O=team-a + O=team-b\nCN=alice')
      assert.equal(certificate.ca, false)
      assert.deepEqual(
        [certificate.validFrom, certificate.validTo].map((time) => new Date(time).toISOString()),
        [FROM, UNTIL],
      )
      assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
      assert.equal(
        certificate.subjectAltName,
        'DNS:a.example, email:x@y.z, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1, URI:https://e.x/p',
      )
      assert.ok(certificate.checkPrivateKey(createPrivateKey(read('key'))))
    }))

test('a request that somebody has changed is not signed, nor is a foreign key taken', () =>
  withFolder(async (openssl, read) => {
    for (const name of ['a', 'b'])
      openssl(
        'req',
        '-x509',
        '-newkey',
        ...KEYS['P-256']!,
        '-nodes',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
      )
    const foreign = { certificate: read('a.crt'), privateKey: read('b.key') }
    assert.throws(() => createCertificateSigner(foreign), /does not belong to the signing certificate/)
    openssl(
      'req',
      '-new',
      '-newkey',
      ...KEYS['P-256']!,
      '-nodes',
      '-subj',
      '/CN=alice',
      '-keyout',
      'key',
      '-out',
      'request',
    )
    const der = Buffer.from(read('request').replaceAll(/-----[^-]+-----/g, ''), 'base64')
    der.write('malic', der.indexOf('alice'))
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    const request = Buffer.from(pem).toString('base64')
    const signer = createCertificateSigner({ certificate: read('a.crt'), privateKey: read('a.key') })
    const order = { request, names: parseRequest(request), usages: USAGES, notBeforeMs: 0, notAfterMs: 1 }
    await assert.rejects(signer.sign(order), /unable to verify certificate request signature/)
  }))

test('the subject is what was checked: another name, or a group in a text, does not get into the certificate', async () => {
  const signer = createCertificateSigner(await createAuthority('authority', new VirtualClock()))
  const subjectFor = async (...subject: Buffer[]): Promise<object> => {
    const request = requestOf(subject)
    const order = { request, names: parseRequest(request), usages: ['client auth'], notBeforeMs: 0, notAfterMs: 1e12 }
    return { ...new X509Certificate(await signer.sign(order)).toLegacyObject().subject }
  }
  const [CN, O] = ['550403', '55040a']
  const name = (text: string): Buffer => attributeOf(CN, textOf(text))
  assert.deepEqual(await subjectFor(name('kubernetes-admin'), name('system:node:n')), { CN: 'system:node:n' })
  const masters = Buffer.from('0c0e73797374656d3a6d617374657273', 'hex')
  for (const text of [
    'a, O=system:masters',
    'a+O=system:masters',
    'a\nO=system:masters',
    `#${masters.toString('hex')}`,
  ])
    assert.deepEqual(await subjectFor(attributeOf(O, textOf(text)), name('x')), { O: text, CN: 'x' })
})
