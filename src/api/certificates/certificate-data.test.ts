/** Certificate requests and certificates as texts: what is wrong with them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateProblem } from './certificate-data.ts'
import { requestProblem } from './certificate-request.ts'

const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIHRMHoCAQAwGDEKMAgGA1UEAwwBeDEKMAgGA1UECgwBeTBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABBWKl2L6LEsDyI4qwTq4m6bloneQWyO1pZ05RKOMsic58vtI
aQkBjRqxUU4zYRokYWe4NOarni3vXsnWtA+iPtqgADAKBggqhkjOPQQDAgNHADBE
AiAQGAz6g7cMZpwniGuOGQ264H34ALE34LkNZ8duPVkNiAIgCBF0Qko3fd6GT2u0
KeMLDEI3QEO/hATvf76gD7c+0Fc=
-----END CERTIFICATE REQUEST-----
`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBcDCCARWgAwIBAgIUAyI2+B6/nkDCZms1IxlTdAstWTswCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAgFw0yNjExMjQxMzEzMzBaGA8yMTI2MTAzMTEzMTMzMFow
DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE1GJFYNVmD3
LXR70xbd8akNXDOt7ggopXBQdqq2YrwvtNlLaiHOCg1mHJHQAqYWiWBq3ZhyCnWr
Fjs/3hTUPhujUzBRMB0GA1UdDgQWBBQI2GIro6d1uKdIZzeLna18Bn7S/zAfBgNV
HSMEGDAWgBQI2GIro6d1uKdIZzeLna18Bn7S/zAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0kAMEYCIQDViJDBW3m0aoSsDZoU1qseqE5sFSPjiV7iFYkiZaYs
IgIhAKnqF/7d1Fh+/5XRQKrBzhGrqcwg8rFm8gVzZNvKA2LH
-----END CERTIFICATE-----
`
const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('a request is signed with its own key', () => {
  assert.equal(requestProblem(base64(REQUEST)), undefined)
  assert.equal(requestProblem(base64('hello')), 'PEM block type must be CERTIFICATE REQUEST')
  const der = Buffer.from(REQUEST.replaceAll(/-----[^-]+-----/g, ''), 'base64')
  const changed = (at: number): string => {
    const bytes = Buffer.from(der)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    return base64(`-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----`)
  }
  assert.equal(requestProblem(changed(der.length - 1)), 'x509: signature verification failure')
  assert.equal(requestProblem(changed(0)), 'x509: malformed certificate request')
})

test('an answer consists of certificates', () => {
  assert.equal(certificateProblem(''), undefined)
  assert.equal(certificateProblem(base64(CERTIFICATE + CERTIFICATE)), undefined)
  assert.equal(certificateProblem(base64('hello')), 'must contain at least one CERTIFICATE PEM block')
  assert.equal(
    certificateProblem(base64(REQUEST)),
    'only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"',
  )
})
