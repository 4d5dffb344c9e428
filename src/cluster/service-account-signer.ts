/** Signs the tokens of Secrets with the key that the API server verifies them with. */
import { SignJWT } from 'jose'
import { secretTokenClaims } from '#control-plane/apiserver/authentication/secret-tokens.ts'
import { loadKeySet } from '#control-plane/apiserver/authentication/service-account-keys.ts'
import type { ServiceAccountSigner } from '#control-plane/controllers/controller.ts'

/** `signingKey` is PEM text, as of `sa.key`. */
export function createServiceAccountSigner(signingKey: string): ServiceAccountSigner {
  const { signing } = loadKeySet({ signingKey })
  return (account) =>
    new SignJWT({ ...secretTokenClaims(account) })
      .setProtectedHeader({ alg: signing.algorithm, kid: signing.id })
      .sign(signing.privateKey)
}
