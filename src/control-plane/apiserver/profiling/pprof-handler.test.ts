/** Profiles of the running process come in V8's formats. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import type { ApiResponse } from '../request.ts'
import { requestOf } from '../testing.ts'
import { createPprofHandler } from './pprof-handler.ts'

const handler = createPprofHandler(new SystemClock({ keepsProcessAlive: true }))

function textOf({ body }: ApiResponse): string {
  assert.ok(body.form === 'raw' && typeof body.content === 'string')
  return body.content
}

test('a profile of the processor, one at a time', async () => {
  const first = handler(requestOf('GET', '/debug/pprof/profile?seconds=0.2'))
  const second = await handler(requestOf('GET', '/debug/pprof/profile?seconds=0.2'))
  assert.equal(second.code, 500)
  assert.match(textOf(second), /cpu profiling already in use/)
  const { nodes, samples } = JSON.parse(textOf(await first)) as { nodes: unknown[]; samples: unknown[] }
  assert.ok(nodes.length > 0 && samples.length > 0)
})

test('a profile that would not fit into memory is refused', async () => {
  const refused = await handler(requestOf('GET', '/debug/pprof/profile?seconds=601'))
  assert.deepEqual([refused.code, textOf(refused)], [400, 'profile duration exceeds 600 seconds\n'])
})

test('the list of profiles, and what is none', async () => {
  assert.match(textOf(await handler(requestOf('GET', '/debug/pprof/'))), /href="\/debug\/pprof\/heap"/)
  const unknown = await handler(requestOf('GET', '/debug/pprof/goroutine'))
  assert.deepEqual([unknown.code, textOf(unknown)], [404, 'Unknown profile\n'])
  assert.equal(handler.matches('/debug/pprofx'), false)
})
