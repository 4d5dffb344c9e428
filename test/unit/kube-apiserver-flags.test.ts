/** Flags of kube-apiserver do what they say: a process with many of them, as its clients see it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { KubeApiserverProcess } from '../tools/kube-apiserver-process.ts'

const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Request, resources: [{group: "", resources: [configmaps]}]}]
`
const server = await KubeApiserverProcess.start(
  [
    '--tls-min-version=VersionTLS13',
    '--cors-allowed-origins=^https://good$',
    '--strict-transport-security-directives=max-age=31536000,includeSubDomains',
    '--anonymous-auth=false',
    '--requestheader-client-ca-file=FOLDER/front.crt',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--token-auth-file=FOLDER/tokens',
    '--service-account-max-token-expiration=2h',
    '--api-audiences=one,two',
    '--default-not-ready-toleration-seconds=7',
    '--profiling=false',
    '--disable-http2-serving',
    '--audit-policy-file=FOLDER/policy.yaml',
    '--audit-log-path=FOLDER/audit.log',
  ],
  { 'policy.yaml': POLICY, tokens: 'secret,jane,1,"dev,ops"\n' },
)
after(() => server.stop())

const post = (path: string, body: object) => server.ask(path, { method: 'POST', body: JSON.stringify(body) })
const REVIEW = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
const REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

test('browsers of good origins may ask, all are told to use HTTPS', async () => {
  const good = await server.ask('/readyz', { headers: { Origin: 'https://good' } })
  assert.equal(good.headers['access-control-allow-origin'], 'https://good')
  assert.equal(good.headers['strict-transport-security'], 'max-age=31536000; includeSubDomains')
  const bad = await server.ask('/readyz', { headers: { Origin: 'https://good.evil' } })
  assert.equal(bad.headers['access-control-allow-origin'], undefined)
  const preflight = await server.ask('/api', { method: 'OPTIONS', pair: null, headers: { Origin: 'https://good' } })
  assert.equal(preflight.code, 204)
})

test('nobody comes in without credentials; tokens of the file are known', async () => {
  assert.equal((await server.ask('/version', { pair: null })).code, 401)
  const headers = { Authorization: 'Bearer secret' }
  const { text } = await server.ask(REVIEWS, { method: 'POST', body: JSON.stringify(REVIEW), pair: null, headers })
  const { username, groups } = JSON.parse(text).status.userInfo
  assert.deepEqual([username, groups], ['jane', ['dev', 'ops', 'system:authenticated']])
})

test('a front proxy says who asks, nobody else does', async () => {
  const headers = { 'X-Remote-User': 'bob', 'X-Remote-Group': 'dev', 'X-Remote-Extra-a%2fb': 'c' }
  const body = JSON.stringify(REVIEW)
  const fronted = await server.ask(REVIEWS, { method: 'POST', body, headers, pair: server.frontProxy })
  assert.deepEqual(JSON.parse(fronted.text).status.userInfo, {
    username: 'bob',
    groups: ['dev', 'system:authenticated'],
    extra: { 'a/b': ['c'] },
  })
  assert.equal((await server.ask('/version', { pair: server.frontProxy })).code, 401)
  const direct = await server.ask(REVIEWS, { method: 'POST', body, headers })
  assert.equal(JSON.parse(direct.text).status.userInfo.username, 'admin')
})

test('tokens end when the server says, and are for its audiences', async () => {
  await post('/api/v1/namespaces/default/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'robot' },
  })
  const path = '/api/v1/namespaces/default/serviceaccounts/robot/token'
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } }
  const { spec, status } = JSON.parse((await post(path, request)).text)
  assert.deepEqual([spec.expirationSeconds, spec.audiences], [7200, ['one', 'two']])
  const claims = JSON.parse(Buffer.from(status.token.split('.')[1], 'base64url').toString())
  assert.deepEqual([claims.exp - claims.iat, claims.aud], [7200, ['one', 'two']])
})

test('pages tell of the flags; profiles are off', async () => {
  const accept = { Accept: 'application/json;v=v1beta1;g=config.k8s.io;as=Flagz' }
  const { flags } = JSON.parse((await server.ask('/flagz', { headers: accept })).text)
  assert.equal(flags['default-not-ready-toleration-seconds'], '7')
  assert.equal(flags['service-account-max-token-expiration'], '2h0m0s')
  assert.equal((await server.ask('/debug/pprof/')).code, 404)
})

test('the audit log has the requests that the policy names', async () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
  const { headers } = await post('/api/v1/namespaces/default/configmaps', configMap)
  await server.ask('/api/v1/namespaces/default/secrets')
  const lines = (await readFile(`${server.folder}/audit.log`, 'utf8')).trimEnd().split('\n')
  const events = lines.map((line) => JSON.parse(line)).filter(({ user }) => user.username === 'admin')
  assert.equal(events.length, 1)
  const [event] = events
  assert.deepEqual([event.auditID, event.verb, event.requestObject], [headers['audit-id'], 'create', configMap])
  assert.equal(event.annotations['authorization.k8s.io/decision'], 'allow')
})

test('containers are not privileged unless --allow-privileged says so', async () => {
  const containers = [{ name: 'c', image: 'i', securityContext: { privileged: true } }]
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers } }
  const spec = { selector: { matchLabels: { a: 'b' } }, template }
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec }
  const { code, text } = await post('/apis/apps/v1/namespaces/default/deployments', deployment)
  assert.equal(code, 422)
  assert.equal(
    JSON.parse(text).message,
    'Deployment.apps "d" is invalid: spec.template.spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy',
  )
})
