/** What certificate requests of OpenSSL ask for. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { parseRequest } from './certificate-request.ts'

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
  assert.deepEqual(parseRequest(base64(REQUEST)), {
    commonName: 'system:node:n1',
    organizations: ['system:nodes', 'b'],
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
