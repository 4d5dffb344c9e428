/** /statusz and /flagz as text and as objects, by what the client accepts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { Handler } from '../request.ts'
import { requestOf } from '../testing.ts'
import { createFlagzHandler } from './flagz.ts'
import { createStatuszHandler } from './statusz.ts'

const START_MS = Date.UTC(2026, 10, 4, 2, 3, 7)
const clock = new VirtualClock(START_MS)
const statusz = createStatuszHandler(clock, START_MS)
const flagz = createFlagzHandler(
  new Map([
    ['v', '2'],
    ['bind-address', '0.0.0.0'],
  ]),
)
await clock.advance(3_725_000)

async function ask(handler: Handler, accept: string) {
  const request = requestOf('GET', '/statusz', accept === '' ? {} : { headers: { Accept: accept } })
  const { body } = await handler(request)
  assert.ok(body.form === 'raw' && typeof body.content === 'string')
  return { type: body.contentType, content: body.content, warnings: [...request.warnings] }
}

test('text where nothing else is asked for', async () => {
  for (const accept of ['', 'text/plain', '*/*', 'application/xml, text/plain']) {
    const { type, content } = await ask(statusz, accept)
    assert.equal(type, 'text/plain; charset=utf-8')
    assert.match(
      content,
      /^\napiserver statusz\nWarning: .*\n\nStarted: Wed Nov {2}4 02:03:07 UTC 2026\nUp: 1 hr 02 min 05 sec\n/,
    )
  }
  assert.match((await ask(flagz, '')).content, /^\napiserver flagz\nWarning: .*\nbind-address=0.0.0.0\nv=2\n$/)
})

test('a versioned object', async () => {
  const accept = 'application/json;v=v1beta1;g=config.k8s.io;as=Flagz'
  const { type, content, warnings } = await ask(flagz, accept)
  assert.equal(type, 'application/json;g=config.k8s.io;v=v1beta1;as=Flagz')
  assert.deepEqual(JSON.parse(content), {
    kind: 'Flagz',
    apiVersion: 'config.k8s.io/v1beta1',
    metadata: { name: 'apiserver' },
    flags: { 'bind-address': '0.0.0.0', v: '2' },
  })
  assert.deepEqual(warnings, [])
})

test('the old version is deprecated', async () => {
  const { content, warnings } = await ask(statusz, 'application/yaml;v=v1alpha1;g=config.k8s.io;as=Statusz')
  assert.match(content, /^apiVersion: config.k8s.io\/v1alpha1\nbinaryVersion: 1.37.2\n(.*\n)*uptimeSeconds: 3725\n$/)
  assert.deepEqual(warnings, ['This version of the statusz endpoint is deprecated. Please use a newer version.'])
})

for (const accept of [
  'application/json',
  'application/json;v=v1;g=config.k8s.io;as=Statusz',
  'application/json;v=v1beta1;g=config.k8s.io;as=Flagz',
])
  test(`${accept} is not acceptable for /statusz`, () =>
    assert.rejects(ask(statusz, accept), (error) => {
      assert.ok(error instanceof StatusError)
      assert.equal(error.code, 406)
      assert.equal(
        error.message,
        'only the following media types are accepted: application/json, application/yaml, text/plain',
      )
      return true
    }))
