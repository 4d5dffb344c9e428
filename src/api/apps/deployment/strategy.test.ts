/** Writes of Deployments: defaults, generation, selectors, status. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { Deployment } from '#api/apps/v1.gen.ts'
import '#api/schemas.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { deploymentKind } from './kind.ts'

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } }

function body(spec: object = {}, metadata: object = {}): object {
  const meta = { name: 'd', namespace: 'n', ...metadata }
  return { metadata: meta, spec: { selector: { matchLabels: { app: 'x' } }, template, ...spec } }
}

function stored(spec: object = {}): Deployment {
  return createWith<Deployment>(deploymentKind, body(spec)).object
}

test('defaults of a minimal Deployment', () => {
  const { object, errors } = createWith<Deployment>(deploymentKind, body())
  assert.deepEqual(errors, [])
  const { template: completed, selector: _, ...rest } = object.spec
  assert.deepEqual(rest, {
    replicas: 1,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  })
  assert.equal(completed.spec?.restartPolicy, 'Always')
  assert.equal(object.metadata.generation, 1)
})

test('the generation follows the spec and the annotations', () => {
  const generationAfter = (...change: Parameters<typeof body>): number | undefined =>
    updateWith<Deployment>(deploymentKind, body(...change), { old: stored() }).object.metadata.generation
  assert.equal(generationAfter({}), 1)
  assert.equal(generationAfter({}, { labels: { a: 'b' } }), 1)
  assert.equal(generationAfter({}, { annotations: { a: 'b' } }), 2)
  assert.equal(generationAfter({ replicas: 2 }), 2)
})

test('the selector is fixed and must match the template', () => {
  const selector = { matchLabels: { app: 'y' } }
  const mismatch = '`selector` does not match template `labels`'
  assert.ok(createWith(deploymentKind, body({ selector })).errors[0]!.endsWith(mismatch))
  const moved = { selector, template: { ...template, metadata: { labels: { app: 'y' } } } }
  assert.deepEqual(updateWith(deploymentKind, body(moved), { old: stored() }).errors, [
    'spec.selector: Invalid value: {"matchLabels":{"app":"y"}}: field is immutable',
  ])
})

test('strategies that cannot make progress are refused', () => {
  const strategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } }
  assert.deepEqual(createWith(deploymentKind, body({ strategy })).errors, [
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
  ])
  const recreate = { type: 'Recreate', rollingUpdate: { maxSurge: 1 } }
  assert.deepEqual(createWith(deploymentKind, body({ strategy: recreate })).errors, [
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ])
})

test('a status write checks its numbers and leaves the spec', () => {
  const old = stored()
  const status = { ...(body({ replicas: 5 }) as Deployment), status: { replicas: 1, readyReplicas: 2 } }
  const { object, errors } = updateWith<Deployment>(deploymentKind, status, { old, subresource: 'status' })
  assert.deepEqual(errors, ['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas'])
  assert.equal(object.spec.replicas, 1)
})

test('scale reads and writes replicas', () => {
  const deployment = stored({ replicas: 3 })
  const scale = deploymentKind.scale!
  assert.equal(scale.replicas(deployment), 3)
  scale.setReplicas(deployment, 4)
  assert.equal(deployment.spec.replicas, 4)
  assert.equal(scale.selector(deployment), 'app=x')
})
