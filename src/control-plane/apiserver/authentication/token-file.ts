/** Users named in a file of lines `token,user,uid,"group1,group2"`, as upstream's --token-auth-file has them. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { UserInfo } from '../request.ts'
import type { AuthenticatedToken, TokenAuthenticator } from './token-authenticator.ts'

export class TokenFileAuthenticator implements TokenAuthenticator {
  readonly #users: readonly { readonly hash: Buffer; readonly user: UserInfo }[]
  readonly #apiAudiences: readonly string[]

  /** Throws an Error that names the line for a file that cannot be read. */
  constructor(text: string, apiAudiences: readonly string[]) {
    this.#users = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, index + 1)]))
    this.#apiAudiences = apiAudiences
  }

  async authenticateToken(token: string): Promise<AuthenticatedToken | null> {
    const hash = hashOf(token)
    const found = this.#users.find((entry) => timingSafeEqual(entry.hash, hash))
    return found === undefined ? null : { user: found.user, audiences: this.#apiAudiences }
  }
}

/** Hashes have one length: comparing them tells nothing of the token. */
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

function parseLine(line: string, number: number): { hash: Buffer; user: UserInfo } {
  const fields = [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].map((match) => (match[2] ?? match[1] ?? '').trim())
  const [token, name, uid, groups] = fields
  if (!token || !name || uid === undefined)
    throw new Error(`line ${number} of the token file has not the form token,user,uid[,"group1,group2"]`)
  return {
    hash: hashOf(token),
    user: { name, uid, groups: groups ? groups.split(',').map((group) => group.trim()) : [], extra: {} },
  }
}
