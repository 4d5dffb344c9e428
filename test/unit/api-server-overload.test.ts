/** Too much to do, as clients on the port see it: queues, refusals, and who decided; and connections of unknown clients. */
import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { CLUSTERROLEBINDINGS, FLOWSCHEMAS, NAMESPACES, PRIORITYLEVELCONFIGURATIONS } from '#api/resources.gen.ts'
import { issueCertificate, type KeyPair } from '#cluster/certificates/authority.ts'
import { APISERVER_USER, type ApiServer } from '#control-plane/apiserver/apiserver.ts'
import { askServer, clock, createCredentials, startServer, type Credentials } from '../tools/api-server-port.ts'

type Held = {
  readonly answer: Promise<{ code: number; headers: NodeJS.Dict<string | string[]>; text: string }>
  finish(): void
}

let credentials: Credentials
let busy: KeyPair
before(async () => {
  credentials = await createCredentials()
  const user = { commonName: 'busy', organizations: [], usages: ['client'] as const }
  busy = await issueCertificate(credentials.authority, { ...user, usages: [...user.usages] }, clock)
})

async function started(options: Parameters<typeof startServer>[1] = {}): Promise<ApiServer> {
  const server = await startServer(credentials, options)
  const client = server.client(APISERVER_USER, 'test')
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'busy' }]
  await client.create(CLUSTERROLEBINDINGS, { metadata: { name: 'busy' }, roleRef, subjects })
  await client.create(NAMESPACES, { metadata: { name: 'n' }, spec: {}, status: {} })
  return server
}

/** A write whose body has not ended: it keeps its seat. */
function hold({ port }: ApiServer, name: string): Held {
  const { promise: answer, resolve, reject } = Promise.withResolvers<Awaited<Held['answer']>>()
  const outgoing = httpsRequest(
    {
      host: '127.0.0.1',
      port,
      path: '/api/v1/namespaces/n/configmaps',
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      agent: false,
      ca: credentials.authority.certificate,
      cert: busy.certificate,
      key: busy.privateKey,
    },
    (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ code: response.statusCode!, headers: response.headers, text }))
    },
  )
  outgoing.on('error', reject)
  outgoing.write(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${name}"}`)
  return { answer, finish: () => void outgoing.end('}') }
}

const REFUSAL = 'Too many requests, please try again later.\n'

/** `count` writes that are held until so many were refused as must be; then the others go on. */
async function crowd(server: ApiServer, count: number, refusedCount: number) {
  const all = Array.from({ length: count }, (_, i) => hold(server, `c${i}`))
  const early: Awaited<Held['answer']>[] = []
  await new Promise<void>((resolve, reject) => {
    for (const { answer } of all) {
      const onAnswer = (one: Awaited<Held['answer']>): void => {
        early.push(one)
        if (early.length === refusedCount) resolve()
      }
      answer.then(onAnswer, reject)
    }
  })
  for (const { finish } of all) finish()
  const answers = await Promise.all(all.map(({ answer }) => answer))
  return { refused: early[0]!, answers, codes: answers.map(({ code }) => code) }
}

test('a full priority level lets requests wait in its queue and refuses those beyond it', async () => {
  const server = await started()
  after(() => server.close())
  const client = server.client(APISERVER_USER, 'test')
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 2 }
  const level = await client.create(PRIORITYLEVELCONFIGURATIONS, {
    metadata: { name: 'tiny' },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 1,
        lendablePercent: 0,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Queue', queuing },
      },
    },
  })
  const schema = await client.create(FLOWSCHEMAS, {
    metadata: { name: 'tiny' },
    spec: {
      priorityLevelConfiguration: { name: 'tiny' },
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'busy' } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  })
  const uidOf = ({ metadata }: { metadata: { uid?: string } }): string => metadata.uid!
  const flowOf = (headers: NodeJS.Dict<string | string[]>) => [
    headers['x-kubernetes-pf-flowschema-uid'],
    headers['x-kubernetes-pf-prioritylevel-uid'],
  ]
  const ask = () => askServer(server, credentials, '/api/v1/namespaces/n', { pair: busy })
  while ((await ask()).headers['x-kubernetes-pf-flowschema-uid'] !== uidOf(schema)) await clock.sleep(5)
  const metricsPage = () => askServer(server, credentials, '/metrics', { pair: credentials.admin })
  const page = await metricsPage()
  const metric = (name: string): number =>
    Number(new RegExp(`^${name}\\{[^}]*priority_level="tiny"[^}]*\\} (\\d+)$`, 'm').exec(page.body.toString())![1])
  const seats = metric('apiserver_flowcontrol_nominal_limit_seats')
  const admitted = seats + queuing.queueLengthLimit
  const { refused, answers, codes } = await crowd(server, 20, 20 - admitted)
  assert.deepEqual([refused.code, refused.text, refused.headers['retry-after']], [429, REFUSAL, '1'])
  assert.equal(refused.headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(refused.headers['x-content-type-options'], 'nosniff')
  for (const { headers } of answers) assert.deepEqual(flowOf(headers), [uidOf(schema), uidOf(level)])
  const counted = /^apiserver_request_total\{[^}]*resource="configmaps"[^}]*code="429"[^}]*\} (\d+)$/m
  assert.equal(counted.exec((await metricsPage()).body.toString())?.[1], String(20 - admitted))
  assert.equal(codes.filter((code) => code === 201).length, admitted)
  assert.equal(codes.filter((code) => code === 429).length, 20 - admitted)
})

test('without priority and fairness there is a limit alone', async () => {
  const server = await started({ limits: { readOnly: 400, mutating: 2 }, settings: { priorityAndFairness: false } })
  after(() => server.close())
  const { refused, codes } = await crowd(server, 5, 3)
  assert.deepEqual([refused.code, refused.text, refused.headers['retry-after']], [429, REFUSAL, '1'])
  assert.equal(refused.headers['x-kubernetes-pf-flowschema-uid'], undefined)
  assert.deepEqual(codes.toSorted(), [201, 201, 429, 429, 429])
})

test('an HTTP/2 connection of an unknown client is told to go after its answer', async () => {
  const server = await started()
  after(() => server.close())
  const endsWith = async (pair: KeyPair | null): Promise<number | string> => {
    const session = connectHttp2(server.url, {
      ca: credentials.authority.certificate,
      ...(pair === null ? {} : { cert: pair.certificate, key: pair.privateKey }),
    })
    const goaway = new Promise<number>((resolve) => session.once('goaway', resolve))
    const read = () =>
      new Promise<number>((resolve, reject) => {
        const stream = session.request({ ':path': '/version' })
        stream.once('response', (headers) => resolve(headers[':status']!))
        stream.once('error', reject)
        stream.resume()
      })
    assert.equal(await read(), 200)
    const second = pair === null ? goaway : read().then((code) => `again ${code}`)
    const result = await second
    session.destroy()
    return result
  }
  assert.equal(await endsWith(null), 0)
  assert.equal(await endsWith(busy), 'again 200')
})
