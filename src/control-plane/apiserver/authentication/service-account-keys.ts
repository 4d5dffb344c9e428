/** The keys that sign and verify tokens of service accounts, and their public form for other verifiers. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

export type ServiceAccountKeys = {
  /** Signs; PEM private key (P-256 or RSA). */
  readonly signingKey: string
  /** Further PEM keys, private or public, whose tokens are accepted. */
  readonly verificationKeys?: readonly string[]
}

export type VerificationKey = {
  readonly id: string
  readonly algorithm: 'ES256' | 'ES384' | 'RS256'
  readonly publicKey: KeyObject
}

export type KeySet = {
  readonly signing: VerificationKey & { readonly privateKey: KeyObject }
  readonly all: readonly VerificationKey[]
}

export function loadKeySet({ signingKey, verificationKeys = [] }: ServiceAccountKeys): KeySet {
  const privateKey = createPrivateKey(signingKey)
  const signing = { ...describeKey(createPublicKey(privateKey)), privateKey }
  const others = verificationKeys.map((pem) => describeKey(createPublicKey(pem)))
  return { signing, all: [signing, ...others.filter((key) => key.id !== signing.id)] }
}

/** The id is upstream's: URL-safe base64 of the SHA-256 of the public key's DER form. */
function describeKey(publicKey: KeyObject): VerificationKey {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return { id: createHash('sha256').update(der).digest('base64url'), algorithm: algorithmOf(publicKey), publicKey }
}

function algorithmOf(key: KeyObject): VerificationKey['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return 'ES256'
    case 'secp384r1':
      return 'ES384'
    default:
      throw new Error(`a key of type ${key.asymmetricKeyType} cannot sign tokens of service accounts: use P-256 or RSA`)
  }
}

/** `/openid/v1/jwks`: what other parties need to verify our tokens. */
export function toJsonWebKeySet(keys: KeySet): { keys: Record<string, unknown>[] } {
  return {
    keys: keys.all.map(({ id, algorithm, publicKey }) => ({
      use: 'sig',
      ...publicKey.export({ format: 'jwk' }),
      kid: id,
      alg: algorithm,
    })),
  }
}

/** `/.well-known/openid-configuration`. */
export function openIdConfiguration(issuer: string, jwksUri: string, keys: KeySet): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.all.map(({ algorithm }) => algorithm))].toSorted(),
  }
}
