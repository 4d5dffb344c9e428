/** Events of the audit log: their stages, what they hold, and how they get into the file. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { notFound } from '#machinery/status-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { ApiResponse } from '../request.ts'
import { OK, requestOf } from '../testing.ts'
import { PlainRefusal, tooManyRequests } from '../plain-refusal.ts'
import { createAuditStage } from './audit-stage.ts'
import { LogBackend, type LogBackendOptions } from './backend.ts'
import { AuditPolicyEvaluator, type AuditLevel, type AuditRule } from './policy.ts'

const user = { name: 'jane', uid: '', groups: ['dev'], extra: {} }

class Log {
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 2))
  readonly lines: string[] = []
  isBroken = false
  rejected = 0
  readonly backend: LogBackend
  readonly #rule: AuditRule

  constructor(level: AuditLevel, options: Partial<LogBackendOptions> = {}, omitManagedFields = false) {
    this.#rule = { level, omitManagedFields }
    const write = (text: string): void => {
      if (this.isBroken) throw new Error('disk full')
      this.lines.push(...text.trimEnd().split('\n'))
    }
    this.backend = new LogBackend({
      sink: { write, close: () => {} },
      format: 'json',
      mode: 'blocking',
      batch: { bufferSize: 10, maxSize: 2, maxWaitMs: 1000 },
      maxEventBytes: null,
      clock: this.clock,
      log: NO_LOG,
      ...options,
    })
  }

  ask(target: string, answer: () => Promise<ApiResponse>): Promise<ApiResponse> {
    const stage = createAuditStage({
      policy: new AuditPolicyEvaluator({ rules: [this.#rule] }),
      backend: this.backend,
      clock: this.clock,
      random: new SeededRandom(1),
      observeLevel: () => {},
      observeEvent: () => {},
      observeRejection: () => this.rejected++,
    })
    const request = requestOf('GET', target, { user, headers: { 'User-Agent': 'a<b' } })
    return stage({ ...request, auditId: 'id-1' }, answer)
  }

  events(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  stages(): unknown[] {
    return this.events().map(({ stage }) => stage)
  }
}

test('a request has an event when it comes, and one when it is answered', async () => {
  const log = new Log('Metadata')
  await log.ask('/api/v1/namespaces/n/pods/p?x=1', async () => OK)
  assert.deepEqual(log.stages(), ['RequestReceived', 'ResponseComplete'])
  assert.match(log.lines[0]!, /"userAgent":"a\\u003cb"/)
  assert.deepEqual(log.events()[1], {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: 'id-1',
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/n/pods/p?x=1',
    verb: 'get',
    user: { username: 'jane', groups: ['dev'] },
    sourceIPs: ['192.0.2.1'],
    userAgent: 'a<b',
    objectRef: { resource: 'pods', namespace: 'n', name: 'p', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: '2026-01-02T00:00:00.000000Z',
    stageTimestamp: '2026-01-02T00:00:00.000000Z',
  })
})

test('a refusal is recorded with its Status, and passed on', async () => {
  const log = new Log('RequestResponse')
  const refusal = notFound({ group: '', resource: 'pods' }, 'p')
  await assert.rejects(
    log.ask('/api/v1/namespaces/n/pods/p', () => Promise.reject(refusal)),
    refusal,
  )
  const { responseStatus, responseObject } = log.events()[1]!
  assert.deepEqual(responseObject, refusal.toStatus())
  assert.equal((responseStatus as { reason: string }).reason, 'NotFound')
})

test('a watch has an event when it begins and one when it is closed', async () => {
  const log = new Log('Metadata')
  const stream = { next: async () => null, close: () => {} }
  const { body } = await log.ask('/api/v1/pods?watch=1', async () => ({ code: 200, body: { form: 'watch', stream } }))
  assert.deepEqual(log.stages(), ['RequestReceived', 'ResponseStarted'])
  assert.ok(body.form === 'watch')
  body.stream.close()
  body.stream.close()
  assert.deepEqual(log.stages(), ['RequestReceived', 'ResponseStarted', 'ResponseComplete'])
})

test('only blocking-strict refuses what cannot be recorded', async () => {
  const strict = new Log('Metadata', { mode: 'blocking-strict' })
  strict.isBroken = true
  await assert.rejects(
    strict.ask('/api/v1/pods', async () => OK),
    /failed to store audit event/,
  )
  assert.deepEqual([strict.rejected, strict.backend.losses.get('log')], [1, 1])
  const blocking = new Log('Metadata')
  blocking.isBroken = true
  assert.equal(await blocking.ask('/api/v1/pods', async () => OK), OK)
})

test('batches are written when they are full or old, the rest at the end', async () => {
  const log = new Log('Metadata', { mode: 'batch' })
  await log.ask('/api/v1/pods', async () => OK)
  assert.equal(log.lines.length, 0)
  await log.clock.advance(1000)
  assert.equal(log.lines.length, 2)
  await log.ask('/api/v1/pods', async () => OK)
  await log.backend.close()
  assert.equal(log.lines.length, 4)
})

test('an event that is too large loses its objects', async () => {
  const log = new Log('RequestResponse', { maxEventBytes: 900 })
  const object = { kind: 'X', data: 'y'.repeat(2000) }
  await log.ask('/api/v1/pods', async () => ({ code: 200, body: { form: 'object', object } }))
  const { annotations, responseObject } = log.events()[1]!
  assert.deepEqual([annotations, responseObject], [{ 'audit.k8s.io/truncated': 'true' }, undefined])
})

test('the older form', async () => {
  const log = new Log('Metadata', { format: 'legacy' })
  await log.ask('/version', async () => OK)
  assert.equal(
    log.lines[1],
    String.raw`2026-01-02T00:00:00.000000Z AUDIT: id="id-1" stage="ResponseComplete" ip="192.0.2.1" method="get" user="jane" groups="\"dev\"" as="<self>" asgroups="<lookup>" user-agent="a<b" namespace="<none>" uri="/version" response="200"`,
  )
})

test('a full batch is written at once, so that the buffer does not overflow meanwhile', async () => {
  const log = new Log('Metadata', { mode: 'batch', batch: { bufferSize: 4, maxSize: 3, maxWaitMs: 60_000 } })
  await log.ask('/api/v1/pods', async () => OK)
  await log.ask('/api/v1/pods', async () => OK)
  await log.clock.advance(0)
  assert.equal(log.lines.length, 4)
  await log.ask('/api/v1/pods', async () => OK)
  await log.clock.advance(0)
  assert.equal(log.lines.length, 4)
  await log.clock.advance(60_000)
  assert.equal(log.lines.length, 6)
  assert.equal(log.backend.losses.size, 0)
})

function listOf(items: readonly object[], table: boolean): ApiResponse {
  const stored = items.map((item, i) => ({
    key: String(i),
    revision: 1,
    bytes: Buffer.from(JSON.stringify(item)),
    object: () => item as KubernetesObject,
  }))
  const shape = table
    ? { extra: { columnDefinitions: [{ name: 'Name' }] }, itemsName: 'rows', keepsItemTypes: true }
    : {}
  const type = table ? { apiVersion: 'meta.k8s.io/v1', kind: 'Table' } : { apiVersion: 'v1', kind: 'PodList' }
  return { code: 200, body: { form: 'list', ...type, metadata: { resourceVersion: '7' }, items: stored, ...shape } }
}

test('a list is recorded as it was answered, without managed fields where the policy omits them', async () => {
  const metadata = { name: 'a', managedFields: [{ manager: 'm' }] }
  const pod = { kind: 'Pod', apiVersion: 'v1', metadata }
  const recorded = async (response: ApiResponse, omitManagedFields: boolean): Promise<unknown> => {
    const log = new Log('RequestResponse', {}, omitManagedFields)
    await log.ask('/api/v1/pods', async () => response)
    return log.events()[1]!['responseObject']
  }
  const head = { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '7' } }
  assert.deepEqual(await recorded(listOf([pod, pod], false), false), { ...head, items: [{ metadata }, { metadata }] })
  assert.deepEqual(await recorded(listOf([pod], false), true), { ...head, items: [{ metadata: { name: 'a' } }] })
  const row = { cells: ['a'], object: pod }
  const table = { ...head, kind: 'Table', apiVersion: 'meta.k8s.io/v1', columnDefinitions: [{ name: 'Name' }] }
  assert.deepEqual(await recorded(listOf([row], true), false), { ...table, rows: [row] })
  const shown = { ...pod, metadata: { name: 'a' } }
  assert.deepEqual(await recorded(listOf([row], true), true), { ...table, rows: [{ cells: ['a'], object: shown }] })
})

test('a watch list that is audited is compressed all the same', async () => {
  const stream = { next: async () => null, close: () => {} }
  const { body } = await new Log('Metadata').ask('/api/v1/pods?watch=1', async () => ({
    code: 200,
    body: { form: 'watch', stream, isWatchList: true },
  }))
  assert.ok(body.form === 'watch' && body.isWatchList === true)
})

test('a refusal in plain text is recorded by its code', async () => {
  const log = new Log('RequestResponse')
  const refuse = (): Promise<ApiResponse> => Promise.reject(tooManyRequests(1))
  await log.ask('/api/v1/pods', refuse).catch((error: unknown) => assert.ok(error instanceof PlainRefusal))
  const { responseStatus, responseObject } = log.events().at(-1)!
  assert.deepEqual([responseStatus, responseObject], [{ metadata: {}, code: 429 }, undefined])
})
