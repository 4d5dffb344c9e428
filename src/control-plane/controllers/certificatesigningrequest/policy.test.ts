/** Which requests are signed, for how long, and when they are forgotten. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { RequestedNames } from '#api/certificates/certificate-request.ts'
import type { Subject } from '#api/certificates/subject.ts'
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { endOfInterest, isApproved } from './answers.ts'
import { validityOf, whyRefused } from './policy.ts'

const NODE: RequestedNames = {
  subject: { commonName: 'system:node:n', organizations: ['system:nodes'], der: Buffer.alloc(0) },
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
}
const subject = (changed: Partial<Subject>): Partial<RequestedNames> => ({ subject: { ...NODE.subject, ...changed } })
const [SIGNATURE, ENCIPHERMENT, CLIENT, SERVER] = [
  'digital signature',
  'key encipherment',
  'client auth',
  'server auth',
] as const

test('clients of the API server', () => {
  const why = (usages: string[]): string | null => whyRefused('kubernetes.io/kube-apiserver-client', NODE, usages)
  assert.equal(why([CLIENT]), null)
  assert.equal(why([SIGNATURE, ENCIPHERMENT, CLIENT]), null)
  assert.equal(why([SIGNATURE]), 'missing required usage for client certificate: client auth')
  assert.equal(why([SERVER, CLIENT]), 'invalid usage for client certificate: server auth')
})

test('kubelets as clients', () => {
  const why = (names: Partial<RequestedNames>, usages: readonly string[] = [SIGNATURE, CLIENT]): string | null =>
    whyRefused('kubernetes.io/kube-apiserver-client-kubelet', { ...NODE, ...names }, usages)
  assert.equal(why({}), null)
  assert.equal(why({}, [CLIENT, SIGNATURE, ENCIPHERMENT]), null)
  assert.equal(why({}, [CLIENT]), 'usages did not match [client auth digital signature key encipherment]')
  assert.equal(why(subject({ organizations: ['system:nodes', 'x'] })), 'subject organization is not system:nodes')
  assert.equal(why(subject({ commonName: 'n' })), 'subject common name does not begin with system:node:')
  assert.equal(why({ dnsNames: ['n'] }), 'DNS subjectAltNames are not allowed')
  assert.equal(why({ emailAddresses: ['n'] }), 'Email subjectAltNames are not allowed')
  assert.equal(why({ ipAddresses: ['n'] }), 'IP subjectAltNames are not allowed')
  assert.equal(why({ uris: ['n'] }), 'URI subjectAltNames are not allowed')
})

test('kubelets as servers', () => {
  const why = (names: Partial<RequestedNames>, usages: readonly string[] = [SIGNATURE, SERVER]): string | null =>
    whyRefused('kubernetes.io/kubelet-serving', { ...NODE, dnsNames: ['n'], ...names }, usages)
  assert.equal(why({}), null)
  assert.equal(why({ dnsNames: [], ipAddresses: ['10.0.0.1'] }), null)
  assert.equal(why({ dnsNames: [] }), 'DNS or IP subjectAltName is required')
  assert.equal(why({}, [SIGNATURE, CLIENT]), 'usages did not match [digital signature key encipherment server auth]')
  assert.equal(why({ uris: ['x'] }), 'URI subjectAltNames are not allowed')
  assert.equal(why(subject({ commonName: 'x' })), 'subject common name does not begin with system:node:')
})

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000]
const NOW_MS = Date.parse('2026-01-01T00:00:00Z')

test('how long a certificate is good', () => {
  const minutes = (expirationSeconds: number | undefined, authorityEndMs = NOW_MS + 1000 * DAY_MS): number[] => {
    const wanted = { expirationSeconds, durationMsMax: 30 * DAY_MS }
    const { notBeforeMs, notAfterMs } = validityOf(wanted, authorityEndMs, NOW_MS)
    return [notBeforeMs, notAfterMs].map((time) => (time - NOW_MS) / MINUTE_MS)
  }
  assert.deepEqual(minutes(undefined), [-5, 30 * 24 * 60 - 5])
  assert.deepEqual(minutes(400 * 86_400), [-5, 30 * 24 * 60 - 5], 'never longer than allowed')
  assert.deepEqual(minutes(86_400), [-5, 24 * 60 - 5])
  assert.deepEqual(minutes(3600), [-5, 60], 'short ones have the time before on top')
  assert.deepEqual(minutes(1), [-5, 10])
  assert.deepEqual(minutes(86_400, NOW_MS + HOUR_MS), [-5, 60], 'nothing outlives its authority')
  assert.throws(() => minutes(86_400, NOW_MS - HOUR_MS), /the signer has expired: NotAfter=2025-12-31T23:00:00.000Z/)
  assert.throws(() => minutes(86_400, NOW_MS - MINUTE_MS), /refusing to sign a certificate that expired in the past/)
})

test('how long a request is of interest', () => {
  const time = (hours: number): string => new Date(NOW_MS + hours * HOUR_MS).toISOString()
  const hours = (conditions: readonly (readonly [string, number])[], certificate?: string): number | null => {
    const status = {
      conditions: conditions.map(([type, at]) => ({ type, status: 'True', lastUpdateTime: time(at) })),
      ...(certificate === undefined ? {} : { certificate }),
    }
    const end = endOfInterest({
      metadata: { creationTimestamp: time(0) },
      status,
    } as unknown as CertificateSigningRequest)
    return end === null ? null : (end - NOW_MS) / HOUR_MS
  }
  assert.equal(hours([]), 24)
  assert.equal(hours([['Denied', 2]]), 3)
  assert.equal(hours([['Failed', 2]]), 3)
  assert.equal(hours([['Approved', 2]]), 26)
  assert.equal(hours([['Approved', 2]], 'bm9uZQ=='), 3)
  assert.equal(hours([['Other', 2]]), null)
})

test('a denial holds against every approval', () => {
  const request = (...types: string[]): CertificateSigningRequest =>
    ({
      status: { conditions: types.map((type) => ({ type, status: 'True' })) },
    }) as unknown as CertificateSigningRequest
  assert.equal(isApproved(request('Approved')), true)
  assert.equal(isApproved(request('Approved', 'Denied')), false)
  assert.equal(isApproved(request()), false)
})
