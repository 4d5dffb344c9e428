/** Default pull policies by the tag of an image. */
import assert from 'node:assert'
import { test } from 'node:test'
import { defaultPullPolicy } from './pull-policy.ts'

test('moving tags are pulled each time', () => {
  for (const image of ['busybox', 'busybox:latest', 'registry:5000/team/app', 'registry.example.com/app:latest'])
    assert.equal(defaultPullPolicy(image), 'Always', image)
})

test('fixed tags and digests are pulled once', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  for (const image of ['busybox:1.36', 'registry:5000/app:v1', `busybox@${digest}`, `busybox:1@${digest}`])
    assert.equal(defaultPullPolicy(image), 'IfNotPresent', image)
})

test('what is no reference has no tag', () => {
  assert.equal(defaultPullPolicy('Not A Reference'), 'IfNotPresent')
  assert.equal(defaultPullPolicy(''), 'IfNotPresent')
})

test('a long name without a tag does not take long', () => {
  const started = performance.now()
  defaultPullPolicy(`${'a-'.repeat(5000)}!`)
  assert.ok(performance.now() - started < 200)
})
