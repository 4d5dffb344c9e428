/** Writes of DaemonSets: defaults and the generation of the template. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { DaemonSet } from '#api/apps/v1.gen.ts'
import '#api/schemas.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { daemonSetKind } from './kind.ts'
import { templateGenerationOf } from './template-generation.ts'

function body(spec: object = {}, image = 'busybox'): object {
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image }] } }
  const metadata = { name: 'd', namespace: 'n' }
  return { metadata, spec: { selector: { matchLabels: { app: 'x' } }, template, ...spec } }
}

test('defaults of a minimal DaemonSet', () => {
  const { object, errors } = createWith<DaemonSet>(daemonSetKind, body())
  assert.deepEqual(errors, [])
  assert.deepEqual(object.spec.updateStrategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
  })
  assert.equal(templateGenerationOf(object), 1)
})

test('the template has a generation of its own', () => {
  const old = createWith<DaemonSet>(daemonSetKind, body()).object
  const generationsAfter = (next: object): (number | undefined)[] => {
    const { object } = updateWith<DaemonSet>(daemonSetKind, next, { old })
    return [object.metadata.generation, templateGenerationOf(object)]
  }
  assert.deepEqual(generationsAfter(body({ minReadySeconds: 5 })), [2, 1])
  assert.deepEqual(generationsAfter(body({}, 'busybox:2')), [2, 2])
})

test('either surge or unavailable', () => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } }
  assert.match(createWith(daemonSetKind, body({ updateStrategy })).errors.join(), /maxSurge: .*may not be set when/)
})
