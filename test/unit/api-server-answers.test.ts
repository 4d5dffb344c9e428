/** Answers of the whole API server that depend on more than one of its parts: what is only stored, and protobuf. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KINDS } from '#api/kinds.ts'
import { CUSTOMRESOURCEDEFINITIONS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { HttpTransport } from '#client/http-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import type { ApiServer } from '#control-plane/apiserver/apiserver.ts'
import { protobufTypesOf } from '#control-plane/apiserver/protobuf-types.ts'
import { protobufToJson } from '#machinery/protobuf/envelope.ts'
import {
  askServer,
  connectTo,
  createCredentials,
  startServer,
  type Answer,
  type Credentials,
} from '../tools/api-server-port.ts'

let credentials: Credentials
let server: ApiServer
let client: Client
let transport: HttpTransport

before(async () => {
  credentials = await createCredentials()
  server = await startServer(credentials)
  transport = connectTo(server, credentials, credentials.admin)
  client = new RestClient(transport)
})

after(async () => {
  await transport.close()
  await server.close()
})

const ask = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  askServer(server, credentials, path, { headers, pair: credentials.admin })

test('a definition that is only stored is never established, and says why', async () => {
  const names = { kind: 'Foo', plural: 'foos', singular: 'foo', listKind: 'FooList' }
  const schema = { openAPIV3Schema: { type: 'object' } }
  const created = await client.create(CUSTOMRESOURCEDEFINITIONS, {
    metadata: { name: 'foos.x.test' },
    spec: {
      group: 'x.test',
      names,
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  })
  const options = { resourceVersion: created.metadata.resourceVersion!, fieldSelector: 'metadata.name=foos.x.test' }
  const stop = new AbortController()
  for await (const batch of client.watch(CUSTOMRESOURCEDEFINITIONS, '', options, stop.signal)) {
    assert.ok(batch[0]!.type === 'MODIFIED')
    const conditions = batch[0]!.object.status!.conditions!
    assert.deepEqual(
      conditions.map(({ type, status, reason }) => [type, status, reason]),
      [
        ['NamesAccepted', 'False', 'NotServed'],
        ['Established', 'False', 'NotServed'],
      ],
    )
    break
  }
})

test('objects, lists, errors and watches in protobuf', async () => {
  const type = 'application/vnd.kubernetes.protobuf'
  const types = protobufTypesOf(KINDS)
  const read = async (path: string, accept: string): Promise<[number, string | undefined, Record<string, unknown>]> => {
    const { code, headers, body } = await ask(path, { Accept: accept })
    return [code, headers['content-type'], JSON.parse(protobufToJson(body, types).toString())]
  }
  const plain = async (path: string): Promise<Record<string, unknown>> => JSON.parse((await ask(path)).body.toString())
  const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin'
  assert.deepEqual(await read(role, `${type},application/json`), [200, type, await plain(role)])
  const list = '/api/v1/namespaces'
  assert.deepEqual(await read(list, type), [200, type, await plain(list)])
  assert.deepEqual(await read('/api/v1/nodes/none', type), [404, type, await plain('/api/v1/nodes/none')])
  const [, , metadata] = await read(role, `${type};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json`)
  assert.equal(metadata['kind'], 'PartialObjectMetadata')
  const table = 'as=Table;g=meta.k8s.io;v=v1'
  const fallback = await ask(list, { Accept: `${type};${table},application/json;${table}` })
  assert.equal((JSON.parse(fallback.body.toString()) as { kind: string }).kind, 'Table')
  assert.equal((await ask(list, { Accept: `${type};${table}` })).code, 406)
  const watch = await ask(`${list}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Ddefault`, {
    Accept: `${type};stream=watch`,
  })
  assert.equal(watch.headers['content-type'], `${type};stream=watch`)
  assert.equal(watch.body.readUInt32BE(), watch.body.length - 4, 'one frame: its length, then its bytes')
  assert.equal(watch.body.subarray(6, 11).toString(), 'ADDED')
})

test('a watch without a version says where its initial events end, in a table as well', async () => {
  const path =
    '/api/v1/namespaces?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&fieldSelector=metadata.name%3Ddefault'
  type Event = {
    type: string
    object: { rows: { cells: unknown[]; object: { metadata: { annotations?: object } } }[] }
  }
  const { body } = await ask(path, { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })
  const events = body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
  const [added, end] = events
  assert.deepEqual([added?.type, added?.object.rows[0]?.cells[0]], ['ADDED', 'default'])
  assert.deepEqual([end?.type, end?.object.rows[0]?.cells[0]], ['BOOKMARK', ''])
  assert.deepEqual(end?.object.rows[0]?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
})
