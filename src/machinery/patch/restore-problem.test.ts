/** What does not fit a type is told as upstream's converter tells it (texts asked of kube-apiserver v1.37.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaOf } from '../schema/registry.ts'
import { registerAllSchemas } from '../schema/testing.ts'
import { restoreProblem } from './restore-problem.ts'

registerAllSchemas()
const deployment = schemaOf('io.k8s.api.apps.v1.Deployment')

test('the first problem in the order of the fields, without its place', () => {
  const rows: [value: unknown, problem: string | null][] = [
    [{ spec: { replicas: 1, template: null } }, null],
    [{ spec: 'x' }, 'cannot restore struct from: string'],
    [{ spec: { template: { spec: { containers: 'x' } } } }, 'cannot restore slice from string'],
    [{ metadata: { labels: [] } }, 'cannot restore map from slice'],
    [{ spec: { replicas: 'x' } }, 'unrecognized type: int32'],
    [{ spec: { replicas: 1.5 } }, 'cannot convert float64 to int32'],
    [{ spec: { paused: 1 } }, 'unrecognized type: bool'],
    [{ metadata: { name: 5 } }, 'cannot convert int64 to string'],
    [{ metadata: { name: 1.5 } }, 'unrecognized type: string'],
    [{ metadata: { name: true } }, 'unrecognized type: string'],
    [{ spec: true, metadata: 1 }, 'cannot restore struct from: int64'],
  ]
  for (const [value, problem] of rows) assert.equal(restoreProblem(deployment, value), problem, JSON.stringify(value))
  const secret = schemaOf('io.k8s.api.core.v1.Secret')
  assert.equal(
    restoreProblem(secret, { data: { x: '!' } }),
    'error decoding from json: illegal base64 data at input byte 0',
  )
})
