/** Verifies the signatures of service accounts' tokens, and remembers those that were good. */
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import type { KeySet } from './service-account-keys.ts'

/** Verified signatures that are remembered; each costs a fifth of a millisecond to check again. */
const VERIFIED_TOKENS_MAX = 10_000

export class TokenSignatures {
  readonly #keys: KeySet
  /** Their times and objects are checked each time. */
  readonly #verified = new Map<string, object>()

  constructor(keys: KeySet) {
    this.#keys = keys
  }

  /** The claims of a token whose signature is good; throws for any other. */
  async verify<Claims extends object>(token: string): Promise<Claims> {
    const known = this.#verified.get(token)
    if (known !== undefined) return known as Claims
    const { kid } = decodeProtectedHeader(token)
    const candidates = kid === undefined ? this.#keys.all : this.#keys.all.filter(({ id }) => id === kid)
    if (candidates.length === 0) throw new Error('invalid signature, no keys found')
    for (const { publicKey, algorithm } of candidates) {
      const verified = await compactVerify(token, publicKey, { algorithms: [algorithm] }).catch(() => null)
      if (verified === null) continue
      const claims = JSON.parse(Buffer.from(verified.payload).toString()) as Claims
      this.#remember(token, claims)
      return claims
    }
    throw new Error('invalid signature')
  }

  #remember(token: string, claims: object): void {
    if (this.#verified.size >= VERIFIED_TOKENS_MAX) this.#verified.delete(this.#verified.keys().next().value!)
    this.#verified.set(token, claims)
  }
}

/** The issuer that a token claims; null when it is no JSON Web Token. */
export function claimedIssuer(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? ''
  } catch {
    return null
  }
}
