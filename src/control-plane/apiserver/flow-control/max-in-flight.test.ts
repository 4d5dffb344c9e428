/** Limits of what runs at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlainRefusal } from '../plain-refusal.ts'
import type { ApiResponse } from '../request.ts'
import { OK, requestOf, userOf } from '../testing.ts'
import { createMaxInFlightStage } from './max-in-flight.ts'

test('requests above the limit get 429 and a time to come back, others go on', async () => {
  const observed: number[] = []
  const stage = createMaxInFlightStage({ readOnly: 1, mutating: 1 }, (kind, running) => {
    if (kind === 'readOnly') observed.push(running)
  })
  const gate = Promise.withResolvers<ApiResponse>()
  const running = stage(requestOf('GET', '/api/v1/pods'), () => gate.promise)
  const pass = async (): Promise<ApiResponse> => OK
  const refused = await stage(requestOf('GET', '/api/v1/pods'), pass).catch((error: unknown) => error)
  assert.ok(refused instanceof PlainRefusal)
  assert.equal(refused.code, 429)
  assert.equal(refused.headers['Retry-After'], '1')
  assert.equal(await stage(requestOf('POST', '/api/v1/namespaces'), pass), OK, 'writes have a limit of their own')
  assert.equal(await stage(requestOf('GET', '/api/v1/pods?watch=1'), pass), OK, 'watches are not counted')
  const root = requestOf('GET', '/api/v1/pods', { user: userOf('root', 'system:masters') })
  assert.equal(await stage(root, pass), OK)
  gate.resolve(OK)
  await running
  assert.equal(await stage(requestOf('GET', '/api/v1/pods'), pass), OK)
  assert.deepEqual(observed, [1, 0, 1, 0])
})

test('a failed request gives its place back', async () => {
  const stage = createMaxInFlightStage({ readOnly: 1, mutating: 1 }, () => {})
  const fail = (): Promise<ApiResponse> => Promise.reject(new Error('broken'))
  for (let attempt = 0; attempt < 3; attempt++)
    await assert.rejects(stage(requestOf('GET', '/api/v1/pods'), fail), /broken/)
})
