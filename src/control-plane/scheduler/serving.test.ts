/** The scheduler's own server: health for all, metrics for those whom the API server lets. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Client } from '#client/client.ts'
import { SchedulerMetrics } from './metrics.ts'
import { createSchedulerServer } from './serving.ts'

/** An API server that knows the token `good` and lets only its owner read metrics. */
const client = {
  review: async (_resource: unknown, { kind, spec }: { kind: string; spec: Record<string, unknown> }) =>
    kind === 'TokenReview'
      ? { status: { authenticated: spec['token'] === 'good', user: { username: 'monitor' } } }
      : { status: { allowed: spec['user'] === 'monitor' } },
} as unknown as Client

test('paths answer as upstream does', async () => {
  const metrics = new SchedulerMetrics('default-scheduler')
  metrics.watchPendingPods(() => ({ active: 1, backoff: 0, unschedulable: 2, gated: 0 }))
  metrics.attempted('scheduled', 5)
  let isReady = false
  const server = createSchedulerServer({ client, metrics, isReady: () => isReady, tls: null })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const get = async (path: string, token?: string): Promise<[number, string]> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { headers })
    return [response.status, await response.text()]
  }
  assert.deepEqual(await get('/healthz'), [200, 'ok'])
  assert.deepEqual(await get('/livez'), [200, 'ok'])
  assert.equal((await get('/readyz'))[0], 500)
  isReady = true
  assert.deepEqual(await get('/readyz'), [200, 'ok'])
  const [code, body] = await get('/metrics')
  assert.deepEqual(
    [code, JSON.parse(body).message],
    [403, 'forbidden: User "system:anonymous" cannot get path "/metrics"'],
  )
  assert.equal((await get('/metrics', 'bad'))[0], 401)
  const [allowed, text] = await get('/metrics', 'good')
  assert.equal(allowed, 200)
  assert.match(text, /scheduler_pending_pods\{queue="unschedulable"\} 2/)
  assert.match(text, /scheduler_schedule_attempts_total\{result="scheduled",profile="default-scheduler"\} 1/)
  assert.equal((await get('/nothing', 'good'))[0], 404)
  server.closeAllConnections()
  server.close()
})
