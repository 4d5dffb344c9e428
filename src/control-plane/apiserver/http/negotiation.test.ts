/** Accept headers: what is chosen, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '#machinery/status-error.ts'
import { requestOf } from '../testing.ts'
import { acceptsGzip, acceptsOneOf, consumesOneOf, parseAccept } from './accept-header.ts'
import {
  CBOR,
  JSON_TYPE,
  MEDIA_TYPES,
  MEDIA_TYPES_WITH_CBOR,
  negotiate,
  PLAIN,
  PROTOBUF,
  RESOURCE,
  streamTypesOf,
  wantsPretty,
  YAML_TYPE,
} from './negotiation.ts'
import { checkRouteMedia } from './route-media.ts'

const chosen = (header: string | undefined, restrictions = PLAIN): string | null =>
  negotiate(header, MEDIA_TYPES, restrictions)?.mediaType ?? null

test('the best clause that there is', () => {
  const rows: [string | undefined, string | null][] = [
    [undefined, JSON_TYPE],
    ['', JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['*', JSON_TYPE],
    ['*/json', null],
    ['application/*', JSON_TYPE],
    ['application/yaml', YAML_TYPE],
    ['application/yaml;q=0', YAML_TYPE],
    ['application/json;q=0.5, application/yaml', YAML_TYPE],
    ['application/json;q=abc, application/yaml', YAML_TYPE],
    ['application/*,application/yaml;q=0.9', YAML_TYPE],
    [`${PROTOBUF},application/json`, PROTOBUF],
    [`${PROTOBUF};q=0.5,application/json;q=0.9`, JSON_TYPE],
    [`application/xml,${PROTOBUF}`, PROTOBUF],
    ['application/json;charset=utf-8', JSON_TYPE],
    ['application/json;stream=watch', JSON_TYPE],
    ['application/json;stream=other', null],
    ['application/yaml;stream=watch', null],
    ['application/json;sv=v1', null],
    ['application/json;sv=', JSON_TYPE],
    ['APPLICATION/JSON', null],
    ['application/cbor', null],
    ['text/html', null],
    [',', null],
  ]
  for (const [header, expected] of rows) assert.equal(chosen(header), expected, String(header))
  assert.deepEqual(parseAccept('application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9'), [
    { type: 'application', subtype: 'json', parameters: { as: 'Table', v: 'v1', g: 'meta.k8s.io' }, quality: 0.9 },
  ])
  assert.equal(negotiate('application/cbor', MEDIA_TYPES_WITH_CBOR, PLAIN)?.mediaType, CBOR)
  assert.equal(negotiate('application/json;pretty=1', MEDIA_TYPES, PLAIN)?.pretty, true)
})

test('a clause with a form counts only for answers that have it', () => {
  const form = (as: string, v = 'v1'): string => `${PROTOBUF};as=${as};g=meta.k8s.io;v=${v}`
  const rows: [string, string | null, string | null][] = [
    // Header, for a resource, for an error or a document.
    [form('PartialObjectMetadata'), PROTOBUF, null],
    [`${form('PartialObjectMetadataList')},application/yaml`, PROTOBUF, YAML_TYPE],
    [form('PartialObjectMetadata', 'v9'), null, null],
    [`${form('Table')},application/json`, JSON_TYPE, JSON_TYPE],
    [`application/json;as=Table;g=meta.k8s.io;v=v1,${PROTOBUF}`, JSON_TYPE, PROTOBUF],
    ['application/json;g=meta.k8s.io;v=v1', null, null],
    ['application/yaml;as=Table;g=meta.k8s.io;v=v1;sv=v1', YAML_TYPE, null],
  ]
  for (const [header, resource, other] of rows) {
    assert.equal(chosen(header, RESOURCE), resource, header)
    assert.equal(chosen(header), other, header)
  }
})

test('compression and indentation', () => {
  assert.ok(acceptsGzip('deflate, gzip'))
  assert.ok(!acceptsGzip('gzip;q=0.8'))
  assert.ok(!acceptsGzip(undefined))
  assert.ok(wantsPretty(new URLSearchParams(), 'curl/8.0'))
  assert.ok(!wantsPretty(new URLSearchParams('pretty=false'), 'curl/8.0'))
  assert.ok(!wantsPretty(new URLSearchParams(), 'kubectl/v1.37.2'))
})

test('the router looks at types alone', () => {
  assert.ok(acceptsOneOf(undefined, [JSON_TYPE]))
  assert.ok(acceptsOneOf('text/html, application/json;as=Bogus', [JSON_TYPE]))
  assert.ok(!acceptsOneOf('application/*', [JSON_TYPE]))
  assert.ok(consumesOneOf(undefined, [JSON_TYPE], 'GET'))
  assert.ok(!consumesOneOf(undefined, [JSON_TYPE], 'PATCH'))
  assert.ok(consumesOneOf('application/json; charset=utf-8', [JSON_TYPE], 'PATCH'))
  const outcome = (headers: Record<string, string>): string => {
    try {
      checkRouteMedia(requestOf('PATCH', '/api/v1/namespaces/a', { headers }), {
        produces: [...MEDIA_TYPES, ...streamTypesOf(MEDIA_TYPES)],
        consumes: ['application/merge-patch+json'],
      })
      return 'passed'
    } catch (error) {
      assert.ok(error instanceof StatusError)
      return `${error.code} ${error.message.replaceAll('\n', ' ')}`
    }
  }
  assert.equal(outcome({ Accept: 'text/html' }), '415 415: Unsupported Media Type')
  assert.equal(outcome({ 'Content-Type': 'application/merge-patch+json', Accept: '*/*' }), 'passed')
  assert.equal(
    outcome({ 'Content-Type': 'application/merge-patch+json', Accept: 'text/html' }),
    `406 406: Not Acceptable  Available representations: application/json, application/yaml, ${PROTOBUF}, ` +
      `application/json;stream=watch, ${PROTOBUF};stream=watch`,
  )
})
