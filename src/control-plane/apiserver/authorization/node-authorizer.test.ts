/** What a kubelet may reach: its node, its pods, and what those refer to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume, Pod } from '#api/core/v1.gen.ts'
import { requestOf, userOf } from '../testing.ts'
import { attributesOf } from './authorization-stage.ts'
import { NodeAuthorizer } from './node-authorizer.ts'
import { NodeGraph } from './node-graph.ts'

const pod = (name: string, nodeName: string, extra: object = {}): Pod =>
  ({
    metadata: { name, namespace: 'a' },
    spec: {
      nodeName,
      serviceAccountName: 'robot',
      containers: [{ name: 'c', env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'env-secret', key: 'x' } } }] }],
      volumes: [
        { name: 'one', configMap: { name: 'settings' } },
        { name: 'two', persistentVolumeClaim: { claimName: 'disk' } },
        { name: 'three', projected: { sources: [{ secret: { name: 'projected-secret' } }] } },
      ],
      ...extra,
    },
  }) as unknown as Pod

const volume = {
  metadata: { name: 'pv' },
  spec: {
    claimRef: { namespace: 'a', name: 'disk' },
    csi: { nodeStageSecretRef: { namespace: 'storage', name: 'key' } },
  },
} as unknown as PersistentVolume

function setUp() {
  const graph = new NodeGraph()
  const authorizer = new NodeAuthorizer(graph)
  const verdict = async (node: string, method: string, target: string): Promise<string> => {
    const user = userOf(`system:node:${node}`, 'system:nodes')
    return (await authorizer.authorize(attributesOf(requestOf(method, target, { user })))).verdict
  }
  return { graph, authorizer, verdict }
}

test('what a pod refers to is open to its node only', async () => {
  const { graph, verdict } = setUp()
  graph.setPod(pod('p', 'n1'))
  graph.setVolume(volume)
  const targets = [
    '/api/v1/namespaces/a/secrets/env-secret',
    '/api/v1/namespaces/a/secrets/projected-secret',
    '/api/v1/namespaces/a/configmaps/settings',
    '/api/v1/namespaces/a/persistentvolumeclaims/disk',
    '/api/v1/persistentvolumes/pv',
    '/api/v1/namespaces/storage/secrets/key',
    '/api/v1/namespaces/a/pods/p',
    '/api/v1/namespaces/a/configmaps?watch=1&fieldSelector=metadata.name%3Dsettings',
  ]
  for (const target of targets) {
    assert.equal(await verdict('n1', 'GET', target), 'allow', target)
    assert.equal(await verdict('n2', 'GET', target), 'no-opinion', target)
  }
  assert.equal(await verdict('n1', 'POST', '/api/v1/namespaces/a/serviceaccounts/robot/token'), 'allow')
  assert.equal(await verdict('n1', 'DELETE', '/api/v1/namespaces/a/secrets/env-secret'), 'no-opinion')
  assert.equal(await verdict('n1', 'GET', '/api/v1/namespaces/a/secrets'), 'no-opinion')
  assert.equal(await verdict('n1', 'GET', '/api/v1/namespaces/b/secrets/env-secret'), 'no-opinion')
})

test('access ends with the last pod that gave it', async () => {
  const { graph, verdict } = setUp()
  const secret = '/api/v1/namespaces/a/secrets/env-secret'
  graph.setPod(pod('p', 'n1'))
  graph.setPod(pod('q', 'n1'))
  graph.deletePod(pod('p', 'n1'))
  assert.equal(await verdict('n1', 'GET', secret), 'allow')
  graph.deletePod(pod('q', 'n1'))
  assert.equal(await verdict('n1', 'GET', secret), 'no-opinion')
  graph.setPod(pod('r', 'n1'))
  graph.setVolume(volume)
  graph.deleteVolume(volume)
  assert.equal(await verdict('n1', 'GET', '/api/v1/persistentvolumes/pv'), 'no-opinion')
})

test('a mirror pod opens nothing but itself', async () => {
  const { graph, verdict } = setUp()
  const mirror = pod('m', 'n1')
  mirror.metadata.annotations = { 'kubernetes.io/config.mirror': 'hash' }
  graph.setPod(mirror)
  assert.equal(await verdict('n1', 'GET', '/api/v1/namespaces/a/pods/m'), 'allow')
  assert.equal(await verdict('n1', 'GET', '/api/v1/namespaces/a/secrets/env-secret'), 'no-opinion')
})

test('its own node, lease and pods', async () => {
  const { verdict, authorizer } = setUp()
  const rows: [string, string, string][] = [
    ['GET', '/api/v1/nodes/n1', 'allow'],
    ['GET', '/api/v1/nodes/n2', 'no-opinion'],
    ['GET', '/api/v1/nodes', 'no-opinion'],
    ['GET', '/api/v1/nodes?watch=1&fieldSelector=metadata.name%3Dn1', 'allow'],
    ['PATCH', '/api/v1/nodes/n1/status', 'allow'],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1', 'allow'],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn2', 'no-opinion'],
    ['GET', '/api/v1/pods', 'no-opinion'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1', 'allow'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2', 'no-opinion'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/default/leases/n1', 'no-opinion'],
    ['GET', '/api/v1/services?watch=1', 'allow'],
    ['POST', '/api/v1/services', 'no-opinion'],
    ['GET', '/apis/apps/v1/deployments', 'no-opinion'],
  ]
  for (const [method, target, expected] of rows)
    assert.equal(await verdict('n1', method, target), expected, `${method} ${target}`)
  const impostor = attributesOf(requestOf('GET', '/api/v1/nodes/n1', { user: userOf('system:node:n1') }))
  assert.equal((await authorizer.authorize(impostor)).verdict, 'no-opinion', 'the name alone is not enough')
})
