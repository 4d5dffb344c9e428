/** Static pods from their manifests. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { staticPodOf } from './read-manifests.ts'

const text = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: i}]}\n'

test('a static pod is named after its node, lives in default and has a uid of its content', () => {
  const pod = staticPodOf({ file: 'web.yaml', text }, 'n1', 0)
  assert.deepEqual([pod.metadata.name, pod.metadata.namespace, pod.spec.nodeName], ['web-n1', 'default', 'n1'])
  assert.equal(pod.metadata.annotations?.['kubernetes.io/config.source'], 'file')
  assert.equal(pod.metadata.annotations?.['kubernetes.io/config.hash'], pod.metadata.uid)
  assert.equal(staticPodOf({ file: 'web.yaml', text }, 'n1', 9).metadata.uid, pod.metadata.uid)
  assert.notEqual(staticPodOf({ file: 'web.yaml', text: `${text}\n` }, 'n1', 0).metadata.uid, pod.metadata.uid)
  assert.notEqual(staticPodOf({ file: 'web.yaml', text }, 'n2', 0).metadata.uid, pod.metadata.uid)
})

for (const wrong of ['', '[]', 'kind: Service', 'kind: Pod\nmetadata: {name: x}\nspec: {}'])
  test(`no pod: ${JSON.stringify(wrong)}`, () => {
    assert.throws(() => staticPodOf({ file: 'f', text: wrong }, 'n1', 0), /manifest f is no Pod/)
  })
