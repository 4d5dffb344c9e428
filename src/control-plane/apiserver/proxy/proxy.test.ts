/** Which container, port and address a request for a stream or a proxy means. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { StatusError } from '#machinery/status-error.ts'
import { forwardedHeaders, upgradeHeaders } from './forward-headers.ts'
import { kubeletEndpoint } from './kubelet-endpoint.ts'
import { validateLogOptions } from './log-options.ts'
import { chooseContainer } from './pod-container.ts'
import { parseProxyId } from './proxy-target.ts'

const pod = (containers: string[], initContainers: string[] = []): Pod =>
  ({
    metadata: { name: 'p' },
    spec: {
      containers: containers.map((name) => ({ name })),
      initContainers: initContainers.map((name) => ({ name })),
    },
  }) as unknown as Pod

test('the container of a request', () => {
  assert.equal(chooseContainer(pod(['only']), ''), 'only')
  assert.equal(chooseContainer(pod(['a', 'b'], ['init']), 'init'), 'init')
  assert.throws(() => chooseContainer(pod(['a']), 'x'), /container x is not valid for pod p/)
  assert.throws(
    () => chooseContainer(pod(['a', 'b'], ['i']), ''),
    /a container name must be specified for pod p, choose one of: \[a b\] or one of the init containers: \[i\]/,
  )
})

test('names of proxies', () => {
  assert.deepEqual(parseProxyId('web'), { scheme: '', name: 'web', port: '' })
  assert.deepEqual(parseProxyId('web:http'), { scheme: '', name: 'web', port: 'http' })
  assert.deepEqual(parseProxyId('https:web:443'), { scheme: 'https', name: 'web', port: '443' })
  assert.deepEqual(parseProxyId('https:web:'), { scheme: 'https', name: 'web', port: '' })
  for (const bad of ['', ':80', 'ftp:web:21', 'a:b:c:d']) assert.equal(parseProxyId(bad), null, bad)
})

test('the kubelet of a node', () => {
  const credentials = { certificate: '', privateKey: '', certificateAuthority: '' }
  const node = (addresses: object[], Port?: number): Node =>
    ({
      status: { addresses, ...(Port === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port } } }) },
    }) as never
  const addresses = [
    { type: 'Hostname', address: 'n1' },
    { type: 'InternalIP', address: '10.0.0.1' },
  ]
  assert.deepEqual(
    [kubeletEndpoint(node(addresses, 1234), credentials)].map(({ host, port }) => [host, port]),
    [['10.0.0.1', 1234]],
  )
  assert.equal(kubeletEndpoint(node(addresses.slice(0, 1)), credentials).port, 10250)
  assert.throws(() => kubeletEndpoint(node([]), credentials), /no preferred addresses found/)
})

test('credentials and what speaks of this connection stay here', () => {
  const raw: [string, string][] = [
    ['Authorization', 'Bearer secret'],
    ['Impersonate-User', 'x'],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Host', 'api'],
    ['X-Custom', '1'],
    ['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io'],
  ]
  assert.deepEqual(Object.keys(forwardedHeaders(raw, '192.0.2.1')), ['x-custom', 'x-forwarded-for'])
  assert.deepEqual(upgradeHeaders([...raw, ['Content-Length', '0']]), {
    connection: ['Upgrade'],
    upgrade: ['websocket'],
    'x-custom': ['1'],
    'sec-websocket-protocol': ['v5.channel.k8s.io'],
  })
})

test('log options', () => {
  const check = (text: string): void => validateLogOptions(new URLSearchParams(text), 'p')
  check('tailLines=0&limitBytes=1&sinceSeconds=5')
  assert.throws(
    () => check('tailLines=-1'),
    (error) => {
      assert.ok(error instanceof StatusError)
      assert.equal(
        error.message,
        'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
      )
      return error.code === 422
    },
  )
  assert.throws(() => check('limitBytes=0'), /must be greater than 0/)
  assert.throws(() => check('sinceSeconds=1&sinceTime=2030-01-01T00:00:00Z'), /at most one of/)
  assert.throws(() => check('tailLines=x'), /parsing "x": invalid syntax/)
})
