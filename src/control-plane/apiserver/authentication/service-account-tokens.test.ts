/** Tokens of service accounts: what they say, whom they open the door to, and when they stop. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { notFound } from '#machinery/status-error.ts'
import { loadKeySet, toJsonWebKeySet } from './service-account-keys.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import { TokenSignatures } from './token-signatures.ts'

const newKey = (curve = 'P-256'): string =>
  generateKeyPairSync('ec', { namedCurve: curve }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const ISSUER = 'https://kubernetes.default.svc'
const ACCOUNT = { namespace: 'a', name: 'robot', uid: 'u1' }

function setUp(signingKey = newKey()) {
  const clock = new VirtualClock()
  const objects = new Map<string, ObjectMeta>([['ServiceAccount/a/robot', { name: 'robot', uid: 'u1' } as ObjectMeta]])
  const keys = loadKeySet({ signingKey })
  const tokens = new ServiceAccountTokens({
    keys,
    signatures: new TokenSignatures(keys),
    issuers: [ISSUER],
    apiAudiences: [ISSUER],
    objects: {
      read: async (kind, namespace, name) => {
        const metadata = objects.get(`${kind}/${namespace}/${name}`)
        if (metadata === undefined) throw notFound({ group: '', resource: kind }, name)
        return metadata
      },
    },
    clock,
    random: new SeededRandom(1),
  })
  return { clock, objects, tokens }
}

test('a token names its service account and what it is bound to', async () => {
  const { clock, objects, tokens } = setUp()
  objects.set('Pod/a/web', { name: 'web', uid: 'p1' } as ObjectMeta)
  const { token, expirationTimestamp } = await tokens.issueToken({
    serviceAccount: ACCOUNT,
    audiences: [],
    expirationSeconds: 3600,
    boundObject: { kind: 'Pod', name: 'web', uid: 'p1' },
    node: { name: 'n1', uid: 'n-uid' },
  })
  assert.equal(expirationTimestamp, '2026-01-01T01:00:00Z')
  const claims = decodeJwt(token)
  assert.equal(claims.sub, 'system:serviceaccount:a:robot')
  assert.deepEqual(claims['kubernetes.io'], {
    namespace: 'a',
    node: { name: 'n1', uid: 'n-uid' },
    pod: { name: 'web', uid: 'p1' },
    serviceaccount: { name: 'robot', uid: 'u1' },
  })
  assert.equal(claims.exp, clock.now() / 1000 + 3600)
  assert.deepEqual(await tokens.authenticateToken(token, []), {
    audiences: [ISSUER],
    user: {
      name: 'system:serviceaccount:a:robot',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
      extra: {
        'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
        'authentication.kubernetes.io/node-name': ['n1'],
        'authentication.kubernetes.io/node-uid': ['n-uid'],
        'authentication.kubernetes.io/pod-name': ['web'],
        'authentication.kubernetes.io/pod-uid': ['p1'],
      },
    },
  })
})

test('a token ends with its time, its account and what it is bound to', async () => {
  const { clock, objects, tokens } = setUp()
  const issue = (extra: object = {}) =>
    tokens.issueToken({ serviceAccount: ACCOUNT, audiences: [], expirationSeconds: 600, ...extra })
  const { token } = await issue()
  await clock.advance(650_000)
  assert.ok(await tokens.authenticateToken(token, []), 'clocks may differ by a minute')
  await clock.advance(20_000)
  await assert.rejects(tokens.authenticateToken(token, []), /service account token has expired/)

  objects.set('Secret/a/s', { name: 's', uid: 's1' } as ObjectMeta)
  const bound = (await issue({ boundObject: { kind: 'Secret', name: 's', uid: 's1' } })).token
  assert.ok(await tokens.authenticateToken(bound, []))
  objects.set('Secret/a/s', { name: 's', uid: 's2' } as ObjectMeta)
  await assert.rejects(tokens.authenticateToken(bound, []), /does not match service account secret ref claim/)
  objects.delete('Secret/a/s')
  await assert.rejects(tokens.authenticateToken(bound, []), /service account token has been invalidated/)

  const { token: plain } = await issue()
  objects.set('ServiceAccount/a/robot', { name: 'robot', uid: 'u2' } as ObjectMeta)
  await assert.rejects(tokens.authenticateToken(plain, []), /service account UID \(u2\) does not match claim \(u1\)/)
})

test('audiences', async () => {
  const { tokens } = setUp()
  const { token } = await tokens.issueToken({
    serviceAccount: ACCOUNT,
    audiences: ['vault', 'other'],
    expirationSeconds: 600,
  })
  assert.deepEqual((await tokens.authenticateToken(token, ['other', 'third']))?.audiences, ['other'])
  await assert.rejects(
    tokens.authenticateToken(token, []),
    /token audiences \["vault" "other"\] is invalid for the target audiences \["https:\/\/kubernetes.default.svc"\]/,
  )
})

test('tokens of others: unknown, forged, or signed by a stranger', async () => {
  const { tokens } = setUp()
  assert.equal(await tokens.authenticateToken('no-jwt', []), null)
  const stranger = setUp().tokens
  const { token } = await stranger.issueToken({ serviceAccount: ACCOUNT, audiences: [], expirationSeconds: 600 })
  await assert.rejects(tokens.authenticateToken(token, []), /invalid signature/)
  const own = (await tokens.issueToken({ serviceAccount: ACCOUNT, audiences: [], expirationSeconds: 600 })).token
  const [head, , signature] = own.split('.')
  const forged = Buffer.from(JSON.stringify({ ...decodeJwt(own), sub: 'root' })).toString('base64url')
  await assert.rejects(tokens.authenticateToken(`${head}.${forged}.${signature}`, []), /invalid signature/)
})

test('the published keys hold nothing private', () => {
  const [key] = toJsonWebKeySet(loadKeySet({ signingKey: newKey() })).keys
  assert.deepEqual(Object.keys(key!).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  assert.throws(() => loadKeySet({ signingKey: newKey('P-521') }), /cannot sign tokens/)
})
