/** The API server's port as clients meet it: both versions of HTTP, credentials, limits, encodings, watches, tunnels, shutdown. */
import assert from 'node:assert/strict'
import { connect as connectHttp2, type ClientHttp2Stream } from 'node:http2'
import { get, request as httpsRequest } from 'node:https'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { WebSocket } from 'ws'
import { CONFIGMAPS, NAMESPACES, NODES, PODS, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { HttpTransport } from '#client/http-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import { createAuthority, issueCertificate, type Authority, type KeyPair } from '#cluster/certificates/authority.ts'
import { APISERVER_USER, type ApiServer } from '#control-plane/apiserver/apiserver.ts'
import { isNotFound, StatusError } from '#machinery/status-error.ts'
import {
  askServer,
  clock,
  connectTo,
  createCredentials,
  startServer,
  type Answer,
  type Credentials,
  type Question,
} from '../tools/api-server-port.ts'

let credentials: Credentials
let [authority, admin, kubelet] = [] as unknown as [Authority, KeyPair, KeyPair]
let server: ApiServer
let client: Client
let transport: HttpTransport

before(async () => {
  credentials = await createCredentials()
  ;({ authority, admin, kubelet } = credentials)
  server = await startServer(credentials)
  transport = connectTo(server, credentials, admin)
  client = new RestClient(transport)
})

after(async () => {
  await transport.close()
  await server.close()
})

const ask = (
  path: string,
  { to = server, ...question }: Partial<Question> & { to?: ApiServer } = {},
): Promise<Answer> => askServer(to, credentials, path, { pair: admin, ...question })

/** What the server answers to these bytes. */
function rawAnswer(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.port,
      ca: authority.certificate,
      ALPNProtocols: ['http/1.1'],
    })
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
    socket.write(bytes)
  })
}

const statusOf = ({ code, body }: Answer): [number, string] => [
  code,
  (JSON.parse(body.toString()) as { message: string }).message,
]

test('default objects are there when the server is ready', async () => {
  const namespaces = (await client.list(NAMESPACES, '')).items.map(({ metadata }) => metadata.name)
  assert.deepEqual(namespaces, ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
  const roles = await ask('/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin')
  assert.equal(roles.code, 200)
})

test('objects over HTTP/2: written, read, watched, and the refusals as errors', async () => {
  const stop = new AbortController()
  const seen: string[] = []
  const started = Promise.withResolvers<void>()
  const watching = (async () => {
    const { metadata } = await client.list(CONFIGMAPS, 'default')
    const options = { resourceVersion: metadata.resourceVersion! }
    started.resolve()
    for await (const batch of client.watch(CONFIGMAPS, 'default', options, stop.signal))
      for (const event of batch) {
        seen.push(`${event.type} ${event.type === 'ERROR' ? '' : event.object.metadata.name}`)
        if (event.type === 'DELETED') return
      }
  })()
  await started.promise
  const created = await client.create(CONFIGMAPS, { metadata: { name: 'one', namespace: 'default' }, data: { a: '1' } })
  await client.update(CONFIGMAPS, { ...created, data: { a: '2' } })
  await assert.rejects(
    client.update(CONFIGMAPS, created),
    (error) => error instanceof StatusError && error.code === 409,
  )
  await client.patch(CONFIGMAPS, 'default', 'one', 'merge', { data: { b: '3' } })
  assert.deepEqual((await client.get(CONFIGMAPS, 'default', 'one')).data, { a: '2', b: '3' })
  await client.delete(CONFIGMAPS, 'default', 'one')
  await assert.rejects(client.get(CONFIGMAPS, 'default', 'one'), isNotFound)
  await watching
  assert.deepEqual(seen, ['ADDED one', 'MODIFIED one', 'MODIFIED one', 'DELETED one'])
  stop.abort()
})

test('a component in the process sees the same objects, as shared views', async () => {
  const inside = server.client(APISERVER_USER, 'inside')
  const created = await inside.create(CONFIGMAPS, { metadata: { name: 'inside', namespace: 'default' } })
  const outside = await client.get(CONFIGMAPS, 'default', 'inside')
  assert.equal(outside.metadata.uid, created.metadata.uid)
  assert.equal(outside.metadata.managedFields?.[0]?.manager, undefined, 'nothing was set, so nothing is owned')
  assert.equal(await inside.get(CONFIGMAPS, 'default', 'inside'), await inside.get(CONFIGMAPS, 'default', 'inside'))
  const stranger = server.client({ name: 'stranger', uid: '', groups: [], extra: {} }, 'inside')
  await assert.rejects(
    stranger.get(CONFIGMAPS, 'default', 'inside'),
    /User "stranger" cannot get resource "configmaps"/,
  )
})

test('credentials: none, a foreign certificate, a good and a bad token', async () => {
  const nobody = await ask('/api/v1/namespaces', { pair: null })
  assert.deepEqual(statusOf(nobody), [
    403,
    'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope',
  ])
  assert.equal((await ask('/healthz', { pair: null })).body.toString(), 'ok')
  const foreign = await issueCertificate(
    await createAuthority('foreign', clock),
    { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] },
    clock,
  )
  assert.deepEqual(statusOf(await ask('/healthz', { pair: foreign })), [401, 'Unauthorized'])
  const headers = { Authorization: 'Bearer nonsense' }
  assert.deepEqual(statusOf(await ask('/version', { pair: null, headers })), [401, 'Unauthorized'])
})

test('a token of a service account works until its account is gone', async () => {
  await client.create(SERVICEACCOUNTS, { metadata: { name: 'robot', namespace: 'default' } })
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } }
  const issued = await client.createSubresource<{ status: { token: string } }>(
    SERVICEACCOUNTS,
    'default',
    'robot',
    'token',
    request,
  )
  const robot = connectTo(server, credentials, null, issued.status.token)
  const review = {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    query: {},
    body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' },
  } as const
  const { status } = (await robot.request(review)) as { status: { userInfo: { username: string; groups: string[] } } }
  assert.equal(status.userInfo.username, 'system:serviceaccount:default:robot')
  assert.ok(status.userInfo.groups.includes('system:authenticated'))
  await client.delete(SERVICEACCOUNTS, 'default', 'robot')
  await assert.rejects(robot.request(review), (error) => error instanceof StatusError && error.code === 401)
  await robot.close()
})

test('sizes, methods, encodings', async () => {
  const headers = { 'Content-Type': 'application/json' }
  const path = '/api/v1/namespaces/default/configmaps'
  const large = await ask(path, { method: 'POST', headers, body: Buffer.alloc(3 * 1024 * 1024 + 1, ' ') })
  assert.deepEqual(statusOf(large), [413, 'Request entity too large: limit is 3145728'])
  const anonymous = await ask(path, {
    method: 'POST',
    headers,
    body: Buffer.alloc(3 * 1024 * 1024 + 1, ' '),
    pair: null,
  })
  assert.equal(anonymous.code, 403, 'who may not write is refused before the body is read')
  for (const other of ['/version', '/api', '/apis/apps/v1'])
    assert.equal((await ask(other, { method: 'POST' })).code, 405)
  assert.match(await rawAnswer('BOGUS /api/v1/pods HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1.1 405 .*MethodNotAllowed/s)
  assert.match(await rawAnswer('GET / HTTP/9.x\r\n\r\n'), /^HTTP\/1.1 400 /)
  assert.equal((await ask(path, { headers: { Accept: 'text/html' } })).code, 406)
  assert.equal((await ask('/no/such/path')).body.toString(), '404 page not found\n')
  const yaml = await ask('/api/v1/namespaces/default', { headers: { Accept: 'application/yaml' } })
  assert.match(yaml.body.toString(), /^apiVersion: v1\nkind: Namespace\n/)
  const pretty = await ask('/api/v1/namespaces/default?pretty=true')
  assert.match(pretty.body.toString(), /^\{\n {2}"kind": "Namespace",/)
  const head = await ask('/api/v1/namespaces/default', { method: 'HEAD' })
  assert.deepEqual([head.code, head.body.length], [405, 0])
})

test('services of their own answer with slashes at the end, all else is exactly what it is called', async () => {
  for (const path of ['/version/', '/version//', '/openid/v1/jwks/', '/.well-known/openid-configuration/', '/api/v1/'])
    assert.equal((await ask(path)).code, 200, path)
  for (const path of ['/livez/', '/healthz/', '/openapi/v2/', '/openapi/v3/', '/openapi/v3/api/v1/', '/metrics/'])
    assert.equal((await ask(path)).code, 404, path)
})

test('lists leave out what they already say, and are compressed when long', async () => {
  const data = { filler: 'x'.repeat(60_000) }
  for (const name of ['big-1', 'big-2', 'big-3'])
    await client.create(CONFIGMAPS, { metadata: { name, namespace: 'kube-public' }, data })
  const plain = await ask('/api/v1/namespaces/kube-public/configmaps')
  const list = JSON.parse(plain.body.toString()) as {
    kind: string
    items: { kind?: string; metadata: { name: string } }[]
  }
  assert.equal(list.kind, 'ConfigMapList')
  assert.deepEqual(
    list.items.map(({ kind, metadata }) => [kind, metadata.name]),
    [
      [undefined, 'big-1'],
      [undefined, 'big-2'],
      [undefined, 'big-3'],
    ],
  )
  const headers = { 'Accept-Encoding': 'gzip' }
  const packed = await ask('/api/v1/namespaces/kube-public/configmaps', { headers })
  assert.equal(packed.headers['content-encoding'], 'gzip')
  assert.ok(packed.body.length < plain.body.length / 10)
  assert.deepEqual(gunzipSync(packed.body), plain.body)
})

test('a watch over WebSocket', async () => {
  const url = `${server.url.replace('https', 'wss')}/api/v1/namespaces/kube-system/configmaps?watch=1`
  const pair = { ca: authority.certificate, cert: admin.certificate, key: admin.privateKey }
  const open = (headers: Record<string, string>, protocols: string[] = []): Promise<[string, Buffer, boolean]> => {
    const socket = new WebSocket(url, protocols, { ...pair, headers })
    return new Promise((resolve, reject) => {
      socket.on('message', (bytes: Buffer, isBinary: boolean) => {
        resolve([socket.protocol, bytes, isBinary])
        socket.terminate()
      })
      socket.on('error', reject)
    })
  }
  const origin = 'https://elsewhere'
  const [protocol, message, isBinary] = await open({ origin }, ['base64.binary.k8s.io'])
  assert.deepEqual([protocol, isBinary], ['base64.binary.k8s.io', false], 'the name is repeated and means nothing')
  assert.equal((JSON.parse(message.toString()) as { type: string }).type, 'ADDED')
  const [, bytes, isFrame] = await open({ origin, accept: 'application/vnd.kubernetes.protobuf' })
  assert.deepEqual([isFrame, bytes.subarray(0, 7).toString('latin1')], [true, '\n\u0005ADDED'])
  const [browsers] = await open({ origin }, ['base64url.bearer.authorization.k8s.io.x', 'base64.binary.k8s.io'])
  assert.equal(browsers, 'base64.binary.k8s.io', 'a token is no protocol to choose')
  for (const headers of [{}, { origin: 'null' }, { origin: 'elsewhere' }])
    await assert.rejects(open(headers), /Unexpected server response: 403/)
  await assert.rejects(open({ origin }, ['one', 'two']), /Unexpected server response: 400/)
})

test('the older paths of watches, and forms that a watch does not have', async () => {
  const old = '/api/v1/watch/namespaces'
  const [, type] = await firstEvent(`${old}/default`)
  assert.equal(type, 'ADDED')
  for (const [path, method, code] of [
    [old, 'POST', 405],
    [`${old}/default/configmaps/a/status`, 'GET', 404],
    ['/api/v1/watch/componentstatuses', 'GET', 404],
    ['/api/v1/watch', 'GET', 500],
    [`${old}/default?fieldSelector=metadata.name%3Dother`, 'GET', 400],
    [`${old}?limit=99999999999999999999`, 'GET', 400],
  ] as const)
    assert.equal((await ask(path, { method })).code, code, path)
  const yaml = { headers: { Accept: 'application/yaml' } }
  assert.equal((await ask(old, yaml)).code, 406)
  assert.equal((await ask(`${old}?resourceVersionMatch=Exact&resourceVersion=1`, yaml)).code, 422, 'said first')
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
  const ended = await ask(old, { headers: { Accept: accept } })
  assert.deepEqual([ended.code, ended.body.length], [200, 0])
})

/** Code and type of the first event of a watch, after which the client leaves. */
function firstEvent(path: string): Promise<[number, string]> {
  const pair = { ca: authority.certificate, cert: admin.certificate, key: admin.privateKey }
  return new Promise((resolve, reject) => {
    const request = get(`${server.url}${path}`, { ...pair, agent: false }, (response) =>
      response.once('data', (bytes: Buffer) => {
        resolve([response.statusCode!, (JSON.parse(bytes.toString().split('\n')[0]!) as { type: string }).type])
        request.destroy()
      }),
    )
    request.on('error', reject)
  })
}

test('a list is answered as ever when the client would like to leave HTTP', async () => {
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket' }
  const answer = await ask('/api/v1/namespaces', { headers })
  assert.equal(answer.code, 200)
  assert.match(answer.body.toString(), /^\{"kind":"NamespaceList".*\]\}\n$/)
})

test('logs and tunnels go to the kubelet of the pod, as the API server and without the credentials of the client', async () => {
  const asked: string[] = []
  const fake = createTlsServer(
    {
      cert: kubelet.certificate,
      key: kubelet.privateKey,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      socket.on('error', () => {})
      socket.once('data', (bytes: Buffer) => {
        asked.push(`${socket.getPeerX509Certificate()?.subject ?? ''}\n${bytes.toString()}`)
        if (bytes.includes('/containerLogs/')) socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello\n')
        else {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n')
          socket.on('data', (more: Buffer) => socket.write(`echo ${more.toString()}`))
        }
      })
    },
  )
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve))
  const port = (fake.address() as AddressInfo).port
  try {
    const node = await client.create(NODES, { metadata: { name: 'n1' } } as never)
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    }
    await client.updateStatus(NODES, { ...node, status } as never)
    await client.create(SERVICEACCOUNTS, { metadata: { name: 'default', namespace: 'default' } })
    const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] }
    await client.create(PODS, { metadata: { name: 'web', namespace: 'default' }, spec } as never)

    const log = await ask('/api/v1/namespaces/default/pods/web/log?tailLines=5')
    assert.equal(log.body.toString(), 'hello\n')
    assert.match(
      asked[0]!,
      /^O=system:masters\nCN=admin\nGET \/containerLogs\/default\/web\/c\?tailLines=5&stream=All HTTP/,
    )

    const echoed = await exec('/api/v1/namespaces/default/pods/web/exec?command=ls&command=-l&stdout=1')
    assert.equal(echoed, 'echo ping')
    assert.match(asked[1]!, /POST \/exec\/default\/web\/c\?output=1&command=ls&command=-l HTTP\/1.1/)
    assert.match(asked[1]!, /upgrade: SPDY\/3.1/i)
    assert.doesNotMatch(asked[1]!, /secret-of-client/)
    assert.deepEqual(statusOf(await ask('/api/v1/namespaces/default/pods/web/exec?command=ls')), [
      400,
      'Upgrade request required',
    ])
  } finally {
    fake.close()
  }
  const unreachable = await ask('/api/v1/namespaces/default/pods/web/log')
  assert.match(
    statusOf(unreachable)[1],
    /^Get "https:\/\/127.0.0.1:\d+\/containerLogs\/default\/web\/c.*": dial tcp .* connection refused$/,
  )
})

/** Upgrades, sends `ping`, and answers the first bytes that come back. */
function exec(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port: server.port,
      path,
      method: 'POST',
      headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', Authorization: 'Bearer secret-of-client' },
      ca: authority.certificate,
      cert: admin.certificate,
      key: admin.privateKey,
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => reject(new Error(`refused with ${response.statusCode}`)))
    outgoing.on('upgrade', (_response, socket) => {
      socket.write('ping')
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes.toString())
        socket.destroy()
      })
    })
    outgoing.end()
  })
}

test('shutdown: watches end in an orderly way, new connections are refused', async () => {
  const short = await startServer(credentials)
  const far = connectTo(short, credentials, admin)
  const request = { method: 'GET', path: '/api/v1/namespaces', query: { watch: 'true' } } as const
  const first = Promise.withResolvers<void>()
  const ended = (async () => {
    for await (const batch of far.watch(request)) if (batch.length > 0) first.resolve()
  })()
  await first.promise
  await short.close()
  await ended
  await assert.rejects(ask('/version', { to: short }), /ECONNREFUSED/)
  await far.close()
})

test('many streams share one HTTP/2 connection, and a body that is too large ends none of the others', async () => {
  const session = connectHttp2(server.url, {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.privateKey,
  })
  const codeOf = (stream: ClientHttp2Stream): Promise<number> =>
    new Promise((resolve, reject) => {
      stream.once('response', (headers) => resolve(headers[':status']!))
      stream.once('error', reject)
      stream.resume()
    })
  const path = '/api/v1/namespaces/default'
  const read = (): Promise<number> => codeOf(session.request({ ':path': path }))
  const large = session.request({
    ':method': 'POST',
    ':path': `${path}/configmaps`,
    'content-type': 'application/json',
  })
  large.write(Buffer.alloc(3 * 1024 * 1024 + 1, ' '))
  assert.ok((await Promise.all(Array.from({ length: 200 }, read))).every((code) => code === 200))
  assert.equal(await codeOf(large), 413, 'answered although the body has not ended')
  assert.equal(await read(), 200)
  session.destroy()
})
