/** What certificate requests of OpenSSL ask for. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { parseRequest, requestProblem } from './certificate-request.ts'
import { encodeElement, IDENTIFIER, SEQUENCE, SET } from './der.ts'
import { requestOf } from './testing.ts'

/** `openssl req -new -subj /O=system:nodes/O=b/CN=system:node:n1 -addext subjectAltName=DNS:a.example,IP:10.0.0.1,IP:fd00::1,email:…,URI:…` */
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIIBTTCB8wIBADA8MRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxCjAIBgNVBAoMAWIx
FzAVBgNVBAMMDnN5c3RlbTpub2RlOm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEiB3+M1VQqFF3dC7z4+sLg+HMN/ZiC3pmHL1fiYX9i7Id2x47wEHOQ0WTJ9Sf
sQydZ9IMAFQNEYfsxCZ/FWIx66BVMFMGCSqGSIb3DQEJDjFGMEQwQgYDVR0RBDsw
OYIJYS5leGFtcGxlhwQKAAABhxD9AAAAAAAAAAAAAAAAAAABgQV4QHkueoYNaHR0
cHM6Ly9lLngvcDAKBggqhkjOPQQDAgNJADBGAiEAxOEIym6bUm3Y2D1GgmEJpEbQ
eqBbIXOLiUPDS+P5z0wCIQCwy3jKkEuxQe26xx9q/6mIYc2D3Ldf/iV2fMXi920V
LA==
-----END CERTIFICATE REQUEST-----
`
const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('subject and names', () => {
  const { subject, ...names } = parseRequest(base64(REQUEST))
  assert.equal(subject.commonName, 'system:node:n1')
  assert.deepEqual(subject.organizations, ['system:nodes', 'b'])
  assert.deepEqual(names, {
    dnsNames: ['a.example'],
    ipAddresses: ['10.0.0.1', 'fd00:0:0:0:0:0:0:1'],
    emailAddresses: ['x@y.z'],
    uris: ['https://e.x/p'],
  })
})

test('what is no request', () => {
  assert.throws(() => parseRequest(base64('hello')), /PEM block type must be CERTIFICATE REQUEST/)
  const broken = REQUEST.replace(/MIIB[\s\S]*LA==/, 'AAAA')
  assert.throws(() => parseRequest(base64(broken)))
})

test('names that no certificate could hold', () => {
  const identifier = (hex: string): Buffer => encodeElement(IDENTIFIER, Buffer.from(hex, 'hex'))
  const extension = (name: Buffer): Buffer =>
    encodeElement(SEQUENCE, identifier('551d11'), encodeElement(0x04, encodeElement(SEQUENCE, name)))
  const problem = (...names: Buffer[]): string | undefined => {
    const extensions = encodeElement(SET, encodeElement(SEQUENCE, ...names.map(extension)))
    return requestProblem(requestOf([], [encodeElement(SEQUENCE, identifier('2a864886f70d01090e'), extensions)]))
  }
  const [malformed, dns] = ['x509: malformed certificate request', encodeElement(0x82, Buffer.from('a'))]
  assert.equal(problem(dns), undefined)
  assert.equal(problem(encodeElement(0x82, Buffer.from('ä'))), malformed, 'not ASCII')
  assert.equal(problem(encodeElement(0x87, Buffer.alloc(5))), malformed, 'no IP address')
  assert.equal(problem(dns, dns), malformed, 'the same extension twice')
})
