/** Tokens in Secrets against a whole API server: filled in, accepted, and void when their Secret goes. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { TokenReview } from '#api/authentication/v1.gen.ts'
import type { Secret, ServiceAccount } from '#api/core/v1.gen.ts'
import { SECRETS, SERVICEACCOUNTS, TOKENREVIEWS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({ rootCa: 'PEM' })
})
after(() => cluster.close())

const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString()

async function review(token: string): Promise<NonNullable<TokenReview['status']>> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  return (await cluster.client.review<TokenReview>(TOKENREVIEWS, body)).status!
}

/** A Secret with its token, and the ServiceAccount behind it. */
async function createToken(name: string): Promise<{ secret: Secret; account: ServiceAccount; token: string }> {
  const { client, eventually } = cluster
  const metadata = { name, namespace: 'default' }
  const account = await client.create<ServiceAccount>(SERVICEACCOUNTS, { metadata })
  const annotations = { 'kubernetes.io/service-account.name': name }
  await client.create<Secret>(SECRETS, {
    metadata: { ...metadata, annotations },
    type: 'kubernetes.io/service-account-token',
  })
  const secret = await eventually(async () => {
    const shown = await client.get<Secret>(SECRETS, 'default', name)
    return shown.data?.['token'] === undefined ? null : shown
  })
  return { secret, account, token: decode(secret.data?.['token']) }
}

test('a Secret gets its token, which speaks for the ServiceAccount', async () => {
  const { secret, account, token } = await createToken('robot')
  assert.equal(decode(secret.data?.['ca.crt']), 'PEM')
  assert.equal(decode(secret.data?.['namespace']), 'default')
  assert.equal(secret.metadata.annotations?.['kubernetes.io/service-account.uid'], account.metadata.uid)
  const { authenticated, user } = await review(token)
  assert.equal(authenticated, true)
  assert.deepEqual(user, {
    username: 'system:serviceaccount:default:robot',
    uid: account.metadata.uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
  })
  const used = await cluster.client.get<Secret>(SECRETS, 'default', 'robot')
  assert.match(used.metadata.labels?.['kubernetes.io/legacy-token-last-used'] ?? '', /^\d{4}-\d\d-\d\d$/)
})

test('the token of a deleted or invalidated Secret is refused', async () => {
  const { client } = cluster
  const { token } = await createToken('revoked')
  const label = (value: string | null) =>
    client.patch(SECRETS, 'default', 'revoked', 'merge', {
      metadata: { labels: { 'kubernetes.io/legacy-token-invalid-since': value } },
    })
  await label('2026-01-01')
  assert.match((await review(token)).error ?? '', /has been marked invalid/)
  await label(null)
  assert.equal((await review(token)).authenticated, true)
  await client.delete(SECRETS, 'default', 'revoked')
  const refused = await review(token)
  assert.notEqual(refused.authenticated, true)
  assert.match(refused.error ?? '', /service account token has been invalidated/)
})

test('a token goes with its ServiceAccount, and a forged one is none', async () => {
  const { client, eventually } = cluster
  const { token } = await createToken('leaving')
  const [head, claims, signature] = token.split('.')
  const other = decode(claims).replaceAll('leaving', 'default')
  const forged = `${head}.${Buffer.from(other).toString('base64url')}.${signature}`
  assert.match((await review(forged)).error ?? '', /invalid signature/)
  await client.delete(SERVICEACCOUNTS, 'default', 'leaving')
  await eventually(async () => ((await review(token)).authenticated === true ? null : true))
  await eventually(async () => {
    const { items } = await client.list<Secret>(SECRETS, 'default')
    return items.every(({ metadata }) => metadata.name !== 'leaving') ? true : null
  })
})
