/** What a kubelet may write, and for whom it gets tokens. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ALLOW_ALL, TestServer } from '../../endpoints/testing.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import { userOf } from '../../testing.ts'

const CORE = '/api/v1/namespaces/n'
const MERGE = { contentType: 'application/merge-patch+json' }
const KUBELET = { user: userOf('system:node:a', 'system:nodes', 'system:authenticated') }
const authorizer: Authorizer = {
  ...ALLOW_ALL,
  authorize: async ({ verb }) => ({ verdict: verb.startsWith('request-') ? 'no-opinion' : 'allow', reason: '' }),
}

let server: TestServer
let nodeUid = ''
before(async () => {
  server = await TestServer.start(authorizer, {}, { enabled: ['NodeRestriction'] })
  const node = await server.created('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } })
  nodeUid = node.metadata.uid!
})
after(() => server.close())

const podOf = (name: string, metadata: object = {}, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { nodeName: 'a', containers: [{ name: 'c', image: 'i' }], ...spec },
})

async function refusal(method: string, path: string, body?: unknown, options: object = KUBELET): Promise<string> {
  const answer = await server.request(method, path, body, options)
  return `${answer.code} ${String(answer.body['message']).replace(/^.*? is forbidden: /, '')}`
}

test('a node without a name, and the nodes of others', async () => {
  const nameless = { user: userOf('system:node:', 'system:nodes') }
  assert.equal(
    await refusal('POST', '/api/v1/nodes', { metadata: { name: 'x' } }, nameless),
    '403 could not determine node from user "system:node:"',
  )
  assert.equal(
    await refusal('POST', '/api/v1/nodes', { metadata: { name: 'b' } }),
    '403 node "a" is not allowed to modify node "b"',
  )
})

test('labels and taints of its own node', async () => {
  const patch = (body: object): Promise<string> => refusal('PATCH', '/api/v1/nodes/a', body, { ...KUBELET, ...MERGE })
  const labels = { 'node-restriction.kubernetes.io/x': '1', 'kubernetes.io/y': '1', 'example.com/z': '1' }
  assert.equal(
    await patch({ metadata: { labels } }),
    '403 is not allowed to modify labels: kubernetes.io/y, node-restriction.kubernetes.io/x',
  )
  assert.equal(await patch({ spec: { taints: [] } }), '403 node "a" is not allowed to modify taints')
  assert.match(await patch({ metadata: { labels: { 'kubelet.kubernetes.io/x': '1' } } }), /^200/)
})

test('mirror pods belong to the node and need nothing of the API', async () => {
  const create = (metadata: object, spec: object = {}): Promise<string> =>
    refusal('POST', `${CORE}/pods`, podOf('m', metadata, spec))
  const annotations = { 'kubernetes.io/config.mirror': '1' }
  assert.match(
    await create({}),
    /pod does not have "kubernetes.io\/config.mirror" annotation, node "a" can only create/,
  )
  assert.match(await create({ annotations }), /can only create pods with an owner reference set to itself$/)
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'a', uid: nodeUid, controller: true }
  const owned = { annotations, ownerReferences: [owner] }
  assert.match(await create({ annotations, ownerReferences: [{ ...owner, uid: 'x' }] }), /UID mismatch: expected x got/)
  const claims = [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }]
  assert.equal(
    await create(owned, { volumes: claims }),
    '403 node "a" can not create pods that reference persistentvolumeclaims',
  )
  assert.match(await create(owned), /^201/)
})

test('only pods of its own are told of, evicted and deleted', async () => {
  await server.created(`${CORE}/pods`, podOf('other', {}, { nodeName: 'b' }))
  const path = `${CORE}/pods/other`
  assert.match(
    await refusal('PATCH', `${path}/status`, { status: { phase: 'Failed' } }, { ...KUBELET, ...MERGE }),
    /can only update pod status for pods with spec.nodeName set to itself$/,
  )
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other' } }
  assert.equal(
    await refusal('POST', `${path}/eviction`, eviction),
    '403 node a can only evict pods with spec.nodeName set to itself',
  )
  assert.match(await refusal('DELETE', path), /can only delete pods with spec.nodeName set to itself$/)
})

test('tokens are for pods on the node, and for audiences that they name', async () => {
  const sources = [{ serviceAccountToken: { path: 't', audience: 'vault' } }]
  const spec = { volumes: [{ name: 't', projected: { sources } }] }
  const pod = await server.created(`${CORE}/pods`, podOf('p', {}, spec))
  const ask = (boundObjectRef: object | undefined, audiences: string[]): Promise<string> =>
    refusal('POST', `${CORE}/serviceaccounts/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences, boundObjectRef },
    })
  const bound = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: pod.metadata.uid }
  assert.equal(await ask(undefined, []), '403 node requested token not bound to a pod')
  assert.equal(
    await ask(bound, ['other']),
    '403 system:node:a is not authorized to request tokens for audience "other"',
  )
  // What lies behind admission is no part of this test.
  await assert.rejects(ask(bound, ['vault']), /not part of this test/)
})
