/** How a pod tells its public key and proves that it has the private one: a signed request, or (formerly) key and signature. */
import { constants, type KeyObject, verify } from 'node:crypto'
import type { PodCertificateRequestSpec } from '#api/certificates/v1beta1.gen.ts'
import { type FieldError, invalidValue, tooLong } from '#machinery/field-error.ts'
import { hasOwnSignature, publicKeyIn } from '../certificate-data.ts'

const BYTES_MAX = 10 * 1024
const RSA_BITS = [3072, 4096]
const UNKNOWN_TYPE = 'unknown public key type; supported types are Ed25519, ECDSA, and RSA'
/** Curves that can be read, by the names of OpenSSL: what errors call them. */
const CURVES: Readonly<Record<string, string>> = {
  secp224r1: 'P-224',
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}
const TOO_SMALL_CURVE = 'secp224r1'

export function checkKey(errors: FieldError[], spec: PodCertificateRequestSpec): void {
  const { stubPKCS10Request: stub = '', pkixPublicKey: key = '', proofOfPossession: proof = '' } = spec
  if (stub && !key && !proof) checkStub(errors, Buffer.from(stub, 'base64'))
  else if (!stub && key && proof) checkProof(errors, key, proof, spec.podUID)
  else
    errors.push(omitted('spec', 'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set'))
}

function checkStub(errors: FieldError[], stub: Buffer): void {
  const path = 'spec.stubPKCS10Request'
  if (stub.length > BYTES_MAX) {
    errors.push(tooLong(path, BYTES_MAX))
    return
  }
  const key = publicKeyIn(stub, 'request')
  const isSigned = hasOwnSignature(stub)
  if (key === undefined || isSigned === undefined || hasUnknownCurve(key)) {
    errors.push(omitted(path, 'must be a valid PKCS#10 CSR'))
    return
  }
  const problem = keyProblem(key)
  if (problem === 'unknown') errors.push(omitted(path, UNKNOWN_TYPE))
  else if (problem?.kind === 'curve')
    errors.push(invalidValue(path, problem.value, 'elliptic public keys must use curve P256, P384, or P521'))
  else if (problem !== undefined) errors.push(invalidValue(path, problem.value, RSA_TEXT))
  else if (!isSigned) errors.push(omitted(path, 'invalid signature'))
}

function checkProof(errors: FieldError[], keyText: string, proofText: string, podUid: string): void {
  const path = 'spec.pkixPublicKey'
  const [der, proof] = [Buffer.from(keyText, 'base64'), Buffer.from(proofText, 'base64')]
  if (der.length > BYTES_MAX) errors.push(tooLong(path, BYTES_MAX))
  else if (proof.length > BYTES_MAX) errors.push(tooLong('spec.proofOfPossession', BYTES_MAX))
  if (Math.max(der.length, proof.length) > BYTES_MAX) return
  const key = publicKeyIn(der, 'spki')
  if (key === undefined || hasUnknownCurve(key)) {
    errors.push(invalidValue(path, keyText, 'must be a valid PKIX-serialized public key'))
    return
  }
  const problem = keyProblem(key)
  if (problem === 'unknown') errors.push(invalidValue(path, keyText, UNKNOWN_TYPE))
  // Upstream's text forgets P521 here.
  else if (problem?.kind === 'curve')
    errors.push(invalidValue(path, problem.value, 'elliptic public keys must use curve P256 or P384'))
  else if (problem !== undefined) errors.push(invalidValue(path, problem.value, RSA_TEXT))
  else if (!isProof(key, proof, podUid))
    errors.push(omitted('spec.proofOfPossession', 'could not verify proof-of-possession signature'))
}

const RSA_TEXT = 'RSA keys must have modulus size 3072 or 4096'

type KeyProblem = 'unknown' | { readonly kind: 'curve' | 'modulus'; readonly value: string }

function keyProblem(key: KeyObject): KeyProblem | undefined {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return undefined
    case 'ec':
      return namedCurve === TOO_SMALL_CURVE ? { kind: 'curve', value: `curve ${CURVES[namedCurve]}` } : undefined
    case 'rsa':
      return RSA_BITS.includes(modulusLength) ? undefined : { kind: 'modulus', value: `${modulusLength}-bit modulus` }
    default:
      return 'unknown'
  }
}

function hasUnknownCurve(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && !Object.hasOwn(CURVES, key.asymmetricKeyDetails?.namedCurve ?? '')
}

/** What is signed is the identity of the pod. */
function isProof(key: KeyObject, proof: Buffer, podUid: string): boolean {
  const isRsa = key.asymmetricKeyType === 'rsa'
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return verify(hash, Buffer.from(podUid), isRsa ? { key, padding: constants.RSA_PKCS1_PSS_PADDING } : { key }, proof)
}

/** Upstream does not repeat bytes that are wrong. */
function omitted(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` }
}
