/** Puts the authenticators of bearer tokens together, in the order in which they are asked, and the issuer of service accounts' tokens. */
import { NODES, PODS, SECRETS, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import type { ApiServerSettings } from '../settings.ts'
import { TokenAuthenticators } from './authentication-stage.ts'
import { BootstrapTokenAuthenticator } from './bootstrap-tokens.ts'
import { SecretTokens } from './secret-tokens.ts'
import type { KeySet } from './service-account-keys.ts'
import { ServiceAccountTokens, type TokenObjects } from './service-account-tokens.ts'
import type { TokenAuthenticator, TokenIssuer } from './token-authenticator.ts'
import { TokenFileAuthenticator } from './token-file.ts'
import { TokenSignatures } from './token-signatures.ts'

export type TokensOptions = {
  readonly keys: KeySet
  readonly issuers: readonly string[]
  readonly apiAudiences: readonly string[]
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly settings: Pick<ApiServerSettings, 'bootstrapTokens'>
  /** Text of a static token file. */
  readonly tokenFile: string | undefined
}

export function createTokens(options: TokensOptions): TokenAuthenticator & TokenIssuer {
  const { keys, issuers, apiAudiences, client, clock, random, settings, tokenFile } = options
  const signatures = new TokenSignatures(keys)
  const objects = tokenObjects(client)
  const accountTokens = new ServiceAccountTokens({ keys, signatures, issuers, apiAudiences, objects, clock, random })
  const readSecret = (namespace: string, name: string) => client.get(SECRETS, namespace, name)
  const secretTokens = new SecretTokens({
    signatures,
    apiAudiences,
    clock,
    readSecret,
    readAccount: (namespace, name) => objects.read('ServiceAccount', namespace, name),
    labelSecret: ({ metadata: { namespace = '', name } }, labels) =>
      client.patch(SECRETS, namespace, name, 'merge', { metadata: { labels } }),
  })
  const all = new TokenAuthenticators([
    ...(tokenFile === undefined ? [] : [new TokenFileAuthenticator(tokenFile, apiAudiences)]),
    secretTokens,
    accountTokens,
    ...(settings.bootstrapTokens ? [new BootstrapTokenAuthenticator({ readSecret, clock, apiAudiences })] : []),
  ])
  return {
    authenticateToken: (token, audiences) => all.authenticateToken(token, audiences),
    issueToken: (request) => accountTokens.issueToken(request),
  }
}

const TOKEN_RESOURCES: Readonly<Record<string, ResourceRef>> = {
  ServiceAccount: SERVICEACCOUNTS,
  Pod: PODS,
  Secret: SECRETS,
  Node: NODES,
}

const tokenObjects = (client: Client): TokenObjects => ({
  read: async (kind, namespace, name) => (await client.get(TOKEN_RESOURCES[kind]!, namespace, name)).metadata,
})
