/** Accept headers: what is chosen, and what is refused before anything happens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KINDS } from '#api/kinds.ts'
import { StatusError } from '#machinery/status-error.ts'
import { OK, requestOf } from '../testing.ts'
import { acceptsGzip, negotiateMediaType, parseAccept, PROTOBUF, wantsPretty } from './negotiation.ts'
import { createNegotiationStage } from './negotiation-stage.ts'

test('the best clause that there is', () => {
  const rows: [string | undefined, string | null][] = [
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/yaml', 'application/yaml'],
    ['application/json;q=0.5, application/yaml', 'application/yaml'],
    [`${PROTOBUF},application/json`, PROTOBUF],
    [`${PROTOBUF};q=0.5,application/json;q=0.9`, 'application/json'],
    [`application/xml,${PROTOBUF}`, PROTOBUF],
    ['text/html', null],
  ]
  for (const [header, expected] of rows)
    assert.equal(negotiateMediaType(header, { hasForms: false }), expected, String(header))
  assert.deepEqual(parseAccept('application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9')[0], {
    type: 'application/json',
    parameters: { as: 'Table', v: 'v1', g: 'meta.k8s.io' },
    quality: 0.9,
  })
})

test('a clause with a form counts only for answers that have it', () => {
  const form = (as: string, v = 'v1'): string => `${PROTOBUF};as=${as};g=meta.k8s.io;v=${v}`
  const rows: [string, string | null, string | null][] = [
    // Header, for a resource, for an error or a document.
    [form('PartialObjectMetadata'), PROTOBUF, null],
    [`${form('PartialObjectMetadataList')},application/yaml`, PROTOBUF, 'application/yaml'],
    [form('PartialObjectMetadata', 'v9'), null, null],
    [`${form('Table')},application/json`, 'application/json', 'application/json'],
    [`application/json;as=Table;g=meta.k8s.io;v=v1,${PROTOBUF}`, 'application/json', PROTOBUF],
  ]
  for (const [header, resource, other] of rows) {
    assert.equal(negotiateMediaType(header, { hasForms: true }), resource, header)
    assert.equal(negotiateMediaType(header, { hasForms: false }), other, header)
  }
})

test('compression and indentation', () => {
  assert.ok(acceptsGzip('deflate, gzip;q=0.8'))
  assert.ok(!acceptsGzip('gzip;q=0'))
  assert.ok(!acceptsGzip(undefined))
  assert.ok(wantsPretty(new URLSearchParams(), 'curl/8.0'))
  assert.ok(!wantsPretty(new URLSearchParams('pretty=false'), 'curl/8.0'))
  assert.ok(!wantsPretty(new URLSearchParams(), 'kubectl/v1.37.2'))
})

test('requests that cannot be answered are refused', async () => {
  const stage = createNegotiationStage(KINDS)
  const outcome = async (target: string, accept: string): Promise<string> => {
    try {
      await stage(requestOf('GET', target, { headers: { Accept: accept } }), async () => OK)
      return 'passed'
    } catch (error) {
      assert.ok(error instanceof StatusError)
      return `${error.code} ${error.message.replaceAll('\n', ' ')}`
    }
  }
  const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
  const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const rows: [string, string, string][] = [
    ['/api/v1/namespaces/a/pods/p', 'text/html', `406 406: Not Acceptable  Available representations: ${types}`],
    [
      '/api/v1/namespaces/a/pods',
      'text/html',
      `406 406: Not Acceptable  Available representations: ${types}, ${streams}`,
    ],
    [
      '/api/v1/namespaces/a/pods/p',
      'application/json;as=Bogus',
      `406 only the following media types are accepted: ${types}`,
    ],
    ['/api/v1/namespaces/a/pods/p', table, 'passed'],
    ['/api/v1/namespaces/a/pods/p/log', 'text/plain', 'passed'],
    ['/api/v1/bogus', 'text/html', 'passed'],
    ['/healthz', 'text/html', 'passed'],
    ['/apis', 'text/html', `406 406: Not Acceptable  Available representations: ${types}`],
    ['/apis', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', 'passed'],
    ['/apis', table, `406 only the following media types are accepted: ${types}`],
  ]
  for (const [target, accept, expected] of rows)
    assert.equal(await outcome(target, accept), expected, `${target} ${accept}`)
})
