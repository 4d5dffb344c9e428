/** One object through several versions of its kind: its form, its owners, its warnings. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from './testing.ts'

const claims = (version: string): string => `/apis/resource.k8s.io/${version}/namespaces/n/resourceclaims`
const FLAT = [{ name: 'r', deviceClassName: 'c.example.com' }]
const NESTED = [{ name: 'r', exactly: { deviceClassName: 'c.example.com' } }]

function claimOf(version: string, name: string, requests: unknown, labels?: Record<string, string>): object {
  const metadata = labels === undefined ? { name } : { name, labels }
  return { apiVersion: `resource.k8s.io/${version}`, kind: 'ResourceClaim', metadata, spec: { devices: { requests } } }
}

type Metadata = { labels?: Record<string, string>; managedFields: { manager: string; fieldsV1: unknown }[] }

let server: TestServer
before(async () => void (server = await TestServer.start()))
after(() => server.close())

async function requestsIn(version: string, name: string): Promise<unknown> {
  const { body } = await server.request('GET', `${claims(version)}/${name}`)
  assert.equal(body['apiVersion'], `resource.k8s.io/${version}`)
  return (body['spec'] as { devices: { requests: unknown } }).devices.requests
}

test('a flat request of v1beta1 is an exact one in v1, with defaults, and flat again for who wrote it', async () => {
  const { code, warnings } = await server.request('POST', claims('v1beta1'), claimOf('v1beta1', 'flat', FLAT))
  assert.equal(code, 201)
  assert.deepEqual(warnings, ['resource.k8s.io/v1beta1 ResourceClaim is deprecated in v1.35+, unavailable in v1.38+'])
  const exactly = { deviceClassName: 'c.example.com', allocationMode: 'ExactCount', count: 1 }
  assert.deepEqual(await requestsIn('v1', 'flat'), [{ name: 'r', exactly }])
  assert.deepEqual(await requestsIn('v1beta2', 'flat'), [{ name: 'r', exactly }])
  assert.deepEqual(await requestsIn('v1beta1', 'flat'), [{ name: 'r', ...exactly }])
})

test('a request of v1beta1 without a class has no defaults, and is refused by the paths of v1', async () => {
  const requests = [{ name: 'r', selectors: [{ cel: { expression: 'true' } }] }]
  const { body } = await server.request('POST', claims('v1beta1'), claimOf('v1beta1', 'bad', requests))
  assert.equal(
    body['message'],
    'ResourceClaim.resource.k8s.io "bad" is invalid: [spec.devices.requests[0].exactly.deviceClassName: Required value, spec.devices.requests[0].exactly.allocationMode: Unsupported value: "": supported values: "All", "ExactCount"]',
  )
})

test('each version knows its own fields, and bodies of another one are refused', async () => {
  const strict = await server.request(
    'POST',
    `${claims('v1beta1')}?fieldValidation=Strict`,
    claimOf('v1beta1', 's', NESTED),
  )
  assert.match(String(strict.body['message']), /unknown field "spec\.devices\.requests\[0\]\.exactly"/)
  const other = await server.request('POST', claims('v1beta1'), claimOf('v1', 's', NESTED))
  assert.equal(
    other.body['message'],
    'the API version in the data (resource.k8s.io/v1) does not match the expected API version (resource.k8s.io/v1beta1)',
  )
})

test('server-side apply sees the owners of other versions, whose paths are their own', async () => {
  const apply = (version: string, manager: string, requests: unknown, labels: Record<string, string>, force = '') =>
    server.request(
      'PATCH',
      `${claims(version)}/owned?fieldManager=${manager}${force}`,
      claimOf(version, 'owned', requests, labels),
      { contentType: 'application/apply-patch+yaml' },
    )
  assert.equal((await apply('v1', 'one', NESTED, { a: '1', b: '1' })).code, 201)
  const refused = await apply('v1beta1', 'two', FLAT, { a: '2' })
  // A list without keys is one value, and defaults are part of what the first one is seen to own.
  assert.equal(
    refused.body['message'],
    'Apply failed with 2 conflicts: conflicts with "one":\n- .metadata.labels.a\n- .spec.devices.requests',
  )
  const forced = await apply('v1beta1', 'two', FLAT, { a: '2' }, '&force=true')
  const { labels, managedFields } = forced.body['metadata'] as Metadata
  assert.deepEqual(labels, { a: '2', b: '1' })
  const owned = Object.fromEntries(managedFields.map(({ manager, fieldsV1 }) => [manager, JSON.stringify(fieldsV1)]))
  assert.deepEqual(owned, {
    one: '{"f:metadata":{"f:labels":{"f:b":{}}}}',
    two: '{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:devices":{"f:requests":{}}}}',
  })
  // The same manager in another version takes back what it no longer applies.
  const exactly = { deviceClassName: 'c.example.com', allocationMode: 'ExactCount', count: 1 }
  const again = await apply('v1beta2', 'one', [{ name: 'r', exactly }], {})
  assert.deepEqual((again.body['metadata'] as Metadata).labels, { a: '2' })
})

test('devices of v1beta1 slices are flat in v1', async () => {
  const slice = {
    apiVersion: 'resource.k8s.io/v1beta1',
    kind: 'ResourceSlice',
    metadata: { name: 's' },
    spec: {
      driver: 'd.example.com',
      allNodes: true,
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'one', basic: { attributes: { model: { string: 'x' } } } }, { name: 'two' }],
    },
  }
  await server.created('/apis/resource.k8s.io/v1beta1/resourceslices', slice)
  const stable = await server.request('GET', '/apis/resource.k8s.io/v1/resourceslices/s')
  assert.partialDeepStrictEqual(stable.body['spec'], {
    allNodes: true,
    devices: [{ name: 'one', attributes: { model: { string: 'x' } } }, { name: 'two' }],
  })
  const beta = await server.request('GET', '/apis/resource.k8s.io/v1beta1/resourceslices/s')
  assert.deepEqual((beta.body['spec'] as { devices: unknown }).devices, [
    slice.spec.devices[0],
    { name: 'two', basic: {} },
  ])
})

test('an autoscaler written through v1 and v2 keeps the owners of both', async () => {
  const path = (version: string): string => `/apis/autoscaling/${version}/namespaces/n/horizontalpodautoscalers`
  const spec = { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } }
  const kind = 'HorizontalPodAutoscaler'
  await server.created(path('v1'), { apiVersion: 'autoscaling/v1', kind, metadata: { name: 'h' }, spec })
  const patch = { spec: { maxReplicas: 4 } }
  const options = { contentType: 'application/merge-patch+json' }
  const { body } = await server.request('PATCH', `${path('v2')}/h?fieldManager=other`, patch, options)
  const owners = (body['metadata'] as Metadata).managedFields.map(({ manager }) => manager)
  assert.deepEqual(owners.toSorted(), ['other', 'test'])
})
