/** PodCertificateRequests of both versions: what v1 does not show is kept, and proves the key of the pod. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import type { PodCertificateRequest } from '#api/certificates/v1.gen.ts'
import { kindOf } from '#api/kinds.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { encodeObject } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { SeededRandom } from '#base/random.ts'
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import type { StrategyContext } from '#api/kind.ts'

const [v1, v1beta1] = ['v1', 'v1beta1'].map((version) =>
  kindOf('certificates.k8s.io', version, 'podcertificaterequests')!,
)
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEY_FIELDS = {
  pkixPublicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  proofOfPossession: sign('sha256', Buffer.from('uid'), privateKey).toString('base64'),
}

function requestWith(fields: object): Record<string, unknown> {
  const names = { podName: 'p', podUID: 'uid', serviceAccountName: 's', serviceAccountUID: 'u', nodeName: 'n' }
  const spec = { signerName: 'a.com/b', ...names, nodeUID: 'u', maxExpirationSeconds: 3600, ...fields }
  return { metadata: { name: 'r', namespace: 'n' }, spec }
}

const errorsWith = (fields: object): readonly string[] => createWith(v1beta1!, requestWith(fields)).errors

test('a key is taken with the signature of its owner alone', () => {
  assert.deepEqual(errorsWith(KEY_FIELDS), [])
  const refused = 'spec.proofOfPossession: Invalid value: could not verify proof-of-possession signature'
  assert.deepEqual(errorsWith({ ...KEY_FIELDS, podUID: 'other' }), [refused])
  assert.deepEqual(errorsWith({ ...KEY_FIELDS, proofOfPossession: 'AAAA' }), [refused])
})

const EITHER =
  'spec: Invalid value: exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set'
const [rsa, secp224, x25519] = [
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
  generateKeyPairSync('x25519'),
].map((pair) => pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'))
const REFUSED: readonly [string, object, string][] = [
  ['no key', {}, EITHER],
  ['a key without proof', { pkixPublicKey: KEY_FIELDS.pkixPublicKey }, EITHER],
  ['two ways at once', { ...KEY_FIELDS, stubPKCS10Request: 'AAAA' }, EITHER],
  [
    'bytes that are no key',
    { ...KEY_FIELDS, pkixPublicKey: 'AAAA' },
    'spec.pkixPublicKey: Invalid value: "AAAA": must be a valid PKIX-serialized public key',
  ],
  [
    'a short RSA key',
    { ...KEY_FIELDS, pkixPublicKey: rsa },
    'spec.pkixPublicKey: Invalid value: "2048-bit modulus": RSA keys must have modulus size 3072 or 4096',
  ],
  [
    'a small curve',
    { ...KEY_FIELDS, pkixPublicKey: secp224 },
    'spec.pkixPublicKey: Invalid value: "curve P-224": elliptic public keys must use curve P256 or P384',
  ],
  [
    'a key that cannot sign',
    { ...KEY_FIELDS, pkixPublicKey: x25519 },
    `spec.pkixPublicKey: Invalid value: "${x25519}": unknown public key type; supported types are Ed25519, ECDSA, and RSA`,
  ],
  [
    'a long key',
    { ...KEY_FIELDS, pkixPublicKey: Buffer.alloc(10_241).toString('base64') },
    'spec.pkixPublicKey: Too long: may not be more than 10240 bytes',
  ],
]
for (const [title, fields, error] of REFUSED)
  test(`refused: ${title}`, () => assert.deepEqual(errorsWith(fields), [error]))

test('a request without a stub shows none, and its labels can change', () => {
  const request = createWith(v1beta1!, requestWith(KEY_FIELDS)).object
  const stored = JSON.parse(encodeObject(schemaOf(v1beta1!.schema), request).toString()) as typeof request
  assert.partialDeepStrictEqual(stored, { spec: { stubPKCS10Request: null } })
  const options = { old: stored, subresource: '' }
  assert.deepEqual(
    updateWith(v1beta1!, { ...stored, metadata: { ...stored.metadata, labels: { a: 'b' } } }, options).errors,
    [],
  )
  const context = { subresource: '' } as StrategyContext
  assert.deepEqual(v1beta1!.strategy.validateUpdate!(request, stored, context), [])
})

test('the key stays when v1 writes the status, and v1 cannot take it away', () => {
  const stored = { apiVersion: 'certificates.k8s.io/v1beta1', ...createWith(v1beta1!, requestWith(KEY_FIELDS)).object }
  const { conversion, strategy } = v1!
  const context: StrategyContext = {
    clock: new VirtualClock(0),
    random: new SeededRandom(1),
    features: DEFAULT_FEATURE_GATES,
    subresource: 'status',
    warn() {},
  }
  const old = conversion!.fromStored(stored) as PodCertificateRequest
  assert.equal('pkixPublicKey' in old.spec, false)
  const written = { ...old, spec: { ...old.spec, podName: 'ignored' }, metadata: { ...old.metadata } }
  strategy.prepareForUpdate!(written, old, context)
  assert.partialDeepStrictEqual(conversion!.toStored(written), { spec: { ...KEY_FIELDS, podName: 'p' } })
  const sent = { ...old, spec: JSON.parse(JSON.stringify(old.spec)) as PodCertificateRequest['spec'] }
  const errors = strategy.validateUpdate!(sent, old, { ...context, subresource: '' })
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['spec'],
  )
})
