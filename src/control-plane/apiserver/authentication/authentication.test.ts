/** Who a request comes from: certificates, tokens, nobody; and acting as someone else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Secret } from '#api/core/v1.gen.ts'
import { DEFAULT_FEATURE_GATES, resolveFeatureGates } from '#base/feature-gates.ts'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { StatusError, notFound } from '#machinery/status-error.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import type { ClientCertificate, Stage, UserInfo } from '../request.ts'
import { OK, requestOf, userOf, type TestRequest } from '../testing.ts'
import { DEFAULT_SETTINGS, type RequestHeaderSettings } from '../settings.ts'
import { TokenAuthenticators, createAuthenticationStage } from './authentication-stage.ts'
import { BootstrapTokenAuthenticator } from './bootstrap-tokens.ts'
import { createImpersonationStage } from './impersonation-stage.ts'
import { TokenFileAuthenticator } from './token-file.ts'

const clock = new VirtualClock()
const tokens = new TokenAuthenticators([new TokenFileAuthenticator('secret,alice,1,"team-a,team-b"\n', ['api'])])

async function userAfter(stage: Stage, options: TestRequest, target = '/api/v1/pods'): Promise<UserInfo> {
  const request = requestOf('GET', target, options)
  await stage(request, async () => OK)
  return request.user
}

const refusalOf = async (promise: Promise<unknown>): Promise<StatusError> => {
  const error = await promise.catch((caught: unknown) => caught)
  assert.ok(error instanceof StatusError, `refused, not ${String(error)}`)
  return error
}

const options = { tokens, clock, log: NO_LOG, settings: DEFAULT_SETTINGS, features: DEFAULT_FEATURE_GATES }
const authentication = createAuthenticationStage(options)
const certificate: ClientCertificate = {
  trusted: true,
  isFrontProxy: false,
  commonName: 'kube',
  organizations: ['system:masters'],
  notBeforeMs: clock.now() - 1000,
  notAfterMs: clock.now() + 1000,
  fingerprint: 'abc',
}

test('a certificate of the client CA names user and groups', async () => {
  assert.deepEqual(await userAfter(authentication, { certificate }), {
    name: 'kube',
    uid: '',
    groups: ['system:masters', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=abc'] },
  })
})

test('a certificate that proves nothing is refused; a good token beside it counts', async () => {
  const bad: ClientCertificate[] = [
    { ...certificate, trusted: false },
    { ...certificate, notAfterMs: clock.now() - 1 },
    { ...certificate, notBeforeMs: clock.now() + 1 },
    { ...certificate, commonName: '' },
  ]
  for (const one of bad) {
    const refused = await refusalOf(userAfter(authentication, { certificate: one }))
    assert.deepEqual([refused.code, refused.reason, refused.message], [401, 'Unauthorized', 'Unauthorized'])
  }
  const withToken = { certificate: bad[0]!, headers: { Authorization: 'Bearer secret' } }
  assert.equal((await userAfter(authentication, withToken)).name, 'alice')
})

test('tokens, also as a WebSocket subprotocol, and no credentials at all', async () => {
  const alice = await userAfter(authentication, { headers: { Authorization: 'Bearer secret' } })
  assert.deepEqual(alice.groups, ['team-a', 'team-b', 'system:authenticated'])
  const encoded = Buffer.from('secret').toString('base64url')
  const protocol = `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${encoded}`
  assert.equal((await userAfter(authentication, { headers: { 'Sec-WebSocket-Protocol': protocol } })).name, 'alice')
  const alone = { 'Sec-WebSocket-Protocol': protocol.slice(protocol.indexOf('base64url')) }
  assert.equal(
    (await refusalOf(userAfter(authentication, { headers: alone }))).code,
    401,
    'no protocol is left to choose',
  )
  assert.equal((await refusalOf(userAfter(authentication, { headers: { Authorization: 'Bearer wrong' } }))).code, 401)
  const nobody = await userAfter(authentication, {})
  assert.deepEqual([nobody.name, nobody.groups], ['system:anonymous', ['system:unauthenticated']])
})

test('a token file with a broken line says which', () => {
  assert.throws(() => new TokenFileAuthenticator('a,b,c\nonly-a-token\n', []), /line 2 of the token file/)
})

test('bootstrap tokens', async () => {
  const field = (text: string): string => Buffer.from(text).toString('base64')
  const data: Record<string, string> = {
    'token-id': field('abcdef'),
    'token-secret': field('0123456789abcdef'),
    'usage-bootstrap-authentication': field('true'),
    'auth-extra-groups': field('system:bootstrappers:worker'),
    expiration: field(new Date(clock.now() + 1000).toISOString()),
  }
  const authenticatorOf = (change: Record<string, string>) =>
    new BootstrapTokenAuthenticator({
      readSecret: async (namespace, name) => {
        if (`${namespace}/${name}` !== 'kube-system/bootstrap-token-abcdef')
          throw notFound({ group: '', resource: 'secrets' }, name)
        return {
          metadata: { name },
          type: 'bootstrap.kubernetes.io/token',
          data: { ...data, ...change },
        } as unknown as Secret
      },
      clock,
      apiAudiences: ['api'],
    })
  const token = 'abcdef.0123456789abcdef'
  assert.deepEqual((await authenticatorOf({}).authenticateToken(token))?.user, {
    name: 'system:bootstrap:abcdef',
    uid: '',
    groups: ['system:bootstrappers', 'system:bootstrappers:worker'],
    extra: {},
  })
  const refused: Record<string, string>[] = [
    { expiration: field(new Date(clock.now()).toISOString()) },
    { 'usage-bootstrap-authentication': field('false') },
    { 'auth-extra-groups': field('system:masters') },
    { 'token-secret': field('fedcba9876543210') },
  ]
  for (const change of refused) assert.equal(await authenticatorOf(change).authenticateToken(token), null)
  assert.equal(await authenticatorOf({}).authenticateToken('zzzzzz.0123456789abcdef'), null)
})

/** Allows exactly what is listed, as `verb resource name`. */
function allowing(...allowed: string[]): Authorizer {
  return {
    authorize: async ({ verb, resource, name }: Attributes) => ({
      verdict: allowed.includes(`${verb} ${resource} ${name}`) ? 'allow' : 'no-opinion',
      reason: '',
    }),
    rulesFor: async () => ({ rules: [], incomplete: false, errors: [] }),
  }
}

const as = (headers: [string, string][]): TestRequest => ({ user: userOf('bob'), rawHeaders: headers })

test('impersonation the old way: every part of the identity has to be allowed', async () => {
  const stage = createImpersonationStage(allowing('impersonate users alice', 'impersonate groups g1'))
  const headers: [string, string][] = [
    ['Impersonate-User', 'alice'],
    ['Impersonate-Group', 'g1'],
  ]
  const alice = await userAfter(stage, as(headers))
  assert.deepEqual([alice.name, alice.groups], ['alice', ['g1', 'system:authenticated']])
  const refused = await refusalOf(userAfter(stage, as([...headers, ['Impersonate-Group', 'g2']])))
  assert.equal(refused.code, 403)
})

test('constrained impersonation: the request has to be allowed too', async () => {
  const stage = createImpersonationStage(
    allowing('impersonate-on:user-info:list pods ', 'impersonate:user-info users u'),
  )
  assert.equal((await userAfter(stage, as([['Impersonate-User', 'u']]))).name, 'u')
  const other = await refusalOf(userAfter(stage, as([['Impersonate-User', 'u']]), '/api/v1/namespaces/a/pods/x'))
  assert.match(other.message, /^pods "x" is forbidden: User "bob" cannot impersonate-on:user-info:get resource "pods"/)
  const stranger = await refusalOf(userAfter(stage, as([['Impersonate-User', 'v']])))
  assert.match(
    stranger.message,
    /^users.authentication.k8s.io "v" is forbidden: User "bob" cannot impersonate:user-info/,
  )
  const node = await refusalOf(userAfter(stage, as([['Impersonate-User', 'system:node:n1']])))
  assert.match(node.message, /impersonate-on:arbitrary-node:list/)
})

test('a constrained way never leads to system:masters', async () => {
  const everything: Authorizer = {
    authorize: async ({ verb }) => ({ verdict: verb === 'impersonate' ? 'no-opinion' : 'allow', reason: '' }),
    rulesFor: async () => ({ rules: [], incomplete: false, errors: [] }),
  }
  const headers: [string, string][] = [
    ['Impersonate-User', 'u'],
    ['Impersonate-Group', 'system:masters'],
  ]
  const refused = await refusalOf(userAfter(createImpersonationStage(everything), as(headers)))
  assert.match(refused.message, /impersonating the system:masters group is not allowed/)
})

test('groups without a user are no identity', async () => {
  const refused = await refusalOf(userAfter(createImpersonationStage(allowing()), as([['Impersonate-Group', 'g']])))
  assert.equal(
    refused.message,
    'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
  )
})

const REQUEST_HEADER: RequestHeaderSettings = {
  clientCa: '',
  allowedNames: [],
  usernameHeaders: ['x-user'],
  uidHeaders: [],
  groupHeaders: [],
  extraHeaderPrefixes: ['x-more-'],
}
const fronted = createAuthenticationStage({
  ...options,
  settings: { ...DEFAULT_SETTINGS, requestHeader: REQUEST_HEADER },
})
const proxy: ClientCertificate = { ...certificate, trusted: false, isFrontProxy: true }

test('a front proxy is believed as long as its certificate holds, not as long as its connection', async () => {
  const headers = { 'X-User': 'eve' }
  assert.equal((await userAfter(fronted, { certificate: proxy, headers })).name, 'eve')
  for (const bad of [{ notAfterMs: clock.now() - 1 }, { notBeforeMs: clock.now() + 1 }]) {
    const refused = await refusalOf(userAfter(fronted, { certificate: { ...proxy, ...bad }, headers }))
    assert.equal(refused.code, 401)
  }
})

test('headers that name a user go no further, whoever sent them', async () => {
  const headers = {
    Accept: 'x',
    'X-Remote-User': 'root',
    'X-Remote-Uid': '1',
    'X-Remote-Group': 'system:masters',
    'X-Remote-Extra-Scopes': 'all',
    'X-User': 'root',
    'X-More-Scopes': 'all',
  }
  const passedOn = async (stage: Stage): Promise<string[][]> => {
    let seen: string[][] = []
    await stage(requestOf('GET', '/api', { headers }), async (request) => {
      seen = [Object.keys(request.headers), request.connection!.rawHeaders.map(([name]) => name)]
      return OK
    })
    return seen
  }
  assert.deepEqual(await passedOn(fronted), [['accept'], ['Accept']])
  assert.deepEqual(await passedOn(authentication), [
    ['accept', 'x-user', 'x-more-scopes'],
    ['Accept', 'X-User', 'X-More-Scopes'],
  ])
})

test('who is not known does not keep a connection of HTTP/2', async () => {
  const closes = async (one: TestRequest, stage = authentication): Promise<boolean> => {
    const request = { ...requestOf('GET', '/api', one), answerHeaders: {} as Record<string, string> }
    await stage(request, async () => OK).catch((error: unknown) => assert.ok(error instanceof StatusError))
    return request.answerHeaders['Connection'] === 'close'
  }
  assert.equal(await closes({ isHttp2: true }), true)
  assert.equal(await closes({ isHttp2: true, headers: { Authorization: 'Bearer wrong' } }), true)
  assert.equal(await closes({ isHttp2: true, headers: { Authorization: 'Bearer secret' } }), false)
  assert.equal(await closes({}), false)
  const features = resolveFeatureGates(new Map([['UnauthenticatedHTTP2DOSMitigation', false]]))
  assert.equal(await closes({ isHttp2: true }, createAuthenticationStage({ ...options, features })), false)
})
