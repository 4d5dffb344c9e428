/** What reviews of access are refused for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateLocalSubjectAccessReview, validateSubjectAccessReview } from './validation.ts'

const metadata = { name: '', uid: '', resourceVersion: '', creationTimestamp: '' }

test('a review names a subject and one kind of access', () => {
  const errors = validateSubjectAccessReview({ metadata, spec: {} })
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message}`),
    [
      'spec: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ],
  )
  const spec = { user: 'alice', nonResourceAttributes: { path: '/healthz', verb: 'get' } }
  assert.deepEqual(validateSubjectAccessReview({ metadata, spec }), [])
})

test('a local review asks about its own namespace only', () => {
  const review = { metadata: { ...metadata, namespace: 'here' }, spec: { user: 'alice', resourceAttributes: {} } }
  const fields = (namespace: string): string[] => {
    const spec = { ...review.spec, resourceAttributes: { namespace } }
    return validateLocalSubjectAccessReview({ ...review, spec }).map(({ field }) => field)
  }
  assert.deepEqual(fields('here'), [])
  assert.deepEqual(fields('there'), ['spec.resourceAttributes.namespace'])
})
