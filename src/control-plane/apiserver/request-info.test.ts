/** Paths and methods against what upstream's RequestInfo says of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLongRunning, parseRequestInfo } from './request-info.ts'
import type { RequestInfo } from './request.ts'

const parse = (method: string, target: string): RequestInfo => {
  const url = new URL(target, 'https://server')
  return parseRequestInfo(method, url.pathname, url.searchParams)
}

const isLong = (method: string, target: string): boolean =>
  isLongRunning({ info: parse(method, target), path: new URL(target, 'https://server').pathname })

const short = (info: RequestInfo): string =>
  [info.verb, info.group, info.version, info.namespace, info.resource, info.subresource, info.name].join(' ')

/** Method, target, and verb, group, version, namespace, resource, subresource, name. */
const RESOURCES: readonly (readonly [string, string, string])[] = [
  ['GET', '/api/v1/namespaces', 'list  v1  namespaces  '],
  ['GET', '/api/v1/namespaces/other', 'get  v1 other namespaces  other'],
  ['PUT', '/api/v1/namespaces/other/finalize', 'update  v1 other namespaces finalize other'],
  ['GET', '/api/v1/namespaces/other/pods', 'list  v1 other pods  '],
  ['HEAD', '/api/v1/namespaces/other/pods/foo', 'get  v1 other pods  foo'],
  ['POST', '/api/v1/namespaces/other/pods', 'create  v1 other pods  '],
  ['DELETE', '/api/v1/namespaces/other/pods', 'deletecollection  v1 other pods  '],
  ['GET', '/api/v1/pods?watch=true', 'watch  v1  pods  '],
  ['GET', '/api/v1/pods?watch=', 'watch  v1  pods  '],
  ['GET', '/api/v1/pods?watch=0', 'list  v1  pods  '],
  ['GET', '/api/v1/watch/namespaces/other/pods', 'watch  v1 other pods  '],
  ['GET', '/api/v1/namespaces/other/pods/foo/log', 'get  v1 other pods log foo'],
  ['GET', '/api/v1/nodes/n1/proxy/stats/summary', 'get  v1  nodes proxy n1'],
  ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'patch apps v1 a deployments scale d'],
  ['GET', '/api/v1/secrets?fieldSelector=metadata.name%3Ds', 'list  v1  secrets  s'],
  ['GET', '/api/v1/secrets?fieldSelector=metadata.name!%3Ds', 'list  v1  secrets  '],
  ['GET', '/api/v1/secrets?fieldSelector=metadata.name%3Da%5C%2Cb', 'list  v1  secrets  a,b'],
]

test('requests about resources', () => {
  for (const [method, target, expected] of RESOURCES) {
    const info = parse(method, target)
    assert.equal(short(info), expected, `${method} ${target}`)
    assert.ok(info.isResourceRequest)
  }
})

test('other paths keep their method as the verb', () => {
  for (const path of ['/', '/healthz', '/api', '/api/v1', '/apis/apps', '/apis/apps/v1', '/version']) {
    const info = parse('POST', path)
    assert.ok(!info.isResourceRequest, path)
    assert.equal(info.verb, 'post')
  }
})

test('watches and streams may last', () => {
  assert.ok(isLong('GET', '/api/v1/pods?watch=1'))
  assert.ok(isLong('GET', '/debug/pprof/profile?seconds=90'))
  assert.ok(isLong('POST', '/api/v1/namespaces/a/pods/b/exec'))
  assert.ok(!isLong('GET', '/api/v1/namespaces/a/pods/b'))
})
