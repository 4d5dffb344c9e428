/** Bodies that say a field twice, that are no message, or that want what the server alone decides. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from './testing.ts'

const MAPS = '/api/v1/namespaces/n/configmaps'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

let server: TestServer
before(async () => {
  server = await TestServer.start()
  await server.created(MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { x: '1' } })
})
after(() => server.close())

const patch = (type: string, text: string, query = '') =>
  server.request('PATCH', `${MAPS}/a${query}`, text, { contentType: `application/${type}` })

test('a patch that says a field twice is warned of, or refused when asked to be strict', async () => {
  for (const type of ['merge-patch+json', 'strategic-merge-patch+json']) {
    const twice = '{"data":{"x":"2","x":"3"}}'
    const warned = await patch(type, twice)
    assert.deepEqual([warned.code, warned.warnings], [200, ['duplicate field "data.x"']], type)
    const refused = await patch(type, twice, '?fieldValidation=Strict')
    assert.equal(refused.code, 422)
    assert.match(String(refused.body['message']), /strict decoding error: duplicate field "data\.x"$/)
    assert.deepEqual((await patch(type, twice, '?fieldValidation=Ignore')).warnings, [])
  }
  const operation = '[{"op":"test","op":"replace","path":"/data/x","value":"4"}]'
  const { code, warnings } = await patch('json-patch+json', operation)
  assert.deepEqual([code, warnings], [200, ['json patch duplicate field "[0].op"']])
})

test('the time of creation cannot be changed, and nobody is told off for trying', async () => {
  const before = (await server.request('GET', `${MAPS}/a`)).body
  const tried = await patch('merge-patch+json', '{"metadata":{"creationTimestamp":"2001-01-01T00:00:00Z"}}')
  assert.equal(tried.code, 200)
  assert.deepEqual(tried.body, before)
})

test('bytes that are no message are refused with what they are', async () => {
  const rows: [string, string][] = [
    ['k8s\0', 'empty body (6b387300)'],
    [
      'garbage',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (67617262616765)',
    ],
    [
      `{${'x'.repeat(40)}`,
      `provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({${'x'.repeat(29)} ...)`,
    ],
  ]
  for (const [text, problem] of rows) {
    const { code, body } = await server.request('POST', MAPS, text, { contentType: PROTOBUF })
    assert.deepEqual(
      [code, body['message']],
      [400, `the object provided is unrecognized (must be of type ConfigMap): ${problem}`],
    )
  }
})

test('messages that are broken are refused with what they should be', async () => {
  const rows: [string, Buffer, string][] = [
    [
      'an envelope',
      Buffer.from('6b3873000a50', 'hex'),
      'the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b3873000a50)',
    ],
    [
      'the object in it',
      Buffer.from('6b3873000a0f0a0276311209436f6e6669674d617012020805', 'hex'),
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field ObjectMeta',
    ],
    [
      'one of another kind',
      Buffer.from('6b3873000a090a0276311203506f6412020805', 'hex'),
      'Pod in version "v1" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field ObjectMeta',
    ],
  ]
  for (const [what, bytes, message] of rows) {
    const { code, body } = await server.request('POST', MAPS, bytes.toString('latin1'), { contentType: PROTOBUF })
    assert.deepEqual([code, body['message']], [400, message], what)
  }
})

test('what is nested deeper than any object is refused, whatever says so', async () => {
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
  const created = await server.request('POST', MAPS, `{"apiVersion":"v1","kind":"ConfigMap","x":${deep}}`)
  assert.deepEqual(
    [created.code, created.body['message']],
    [
      400,
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: " +
        `invalid character '{' exceeded max depth (${'{"apiVersion":"v1","kind":"Con'} ...)`,
    ],
  )
  for (const type of ['merge-patch+json', 'strategic-merge-patch+json', 'json-patch+json']) {
    const { code, body } = await patch(type, deep)
    assert.deepEqual([code, body['message']], [400, 'invalid JSON patch'], type)
  }
  assert.equal((await patch('apply-patch+yaml', deep, '?fieldManager=m')).code, 400)
})
