/** /metrics has the families that we claim, with upstream's types and labels, and real values. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askServer, createCredentials, startServer } from '../tools/api-server-port.ts'
import claimed from './testdata/metrics.json' with { type: 'json' }

const credentials = await createCredentials()
const server = await startServer(credentials)
after(() => server.close())

type Family = { type: string; labels: Set<string>; values: Map<string, number> }

async function scrape(): Promise<Map<string, Family>> {
  const { body } = await askServer(server, credentials, '/metrics', { pair: credentials.admin })
  const families = new Map<string, Family>()
  let family: Family | null = null
  let name = ''
  for (const line of body.toString().split('\n')) {
    const type = /^# TYPE (\S+) (\S+)/.exec(line)
    if (type !== null) {
      name = type[1]!
      family = { type: type[2]!, labels: new Set(), values: new Map() }
      families.set(name, family)
    }
    const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (sample === null || family === null) continue
    family.values.set(`${sample[1]}{${sample[2] ?? ''}}`, Number(sample[3]))
    for (const [, label] of (sample[2] ?? '').matchAll(/(\w+)="/g)) family.labels.add(label!)
  }
  return families
}

const ask = (path: string, method = 'GET', body?: object) =>
  askServer(server, credentials, path, {
    method,
    pair: credentials.admin,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  })
const MAPS = '/api/v1/namespaces/default/configmaps'

await ask(MAPS, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })
await ask(MAPS, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })
await ask(`${MAPS}?watch=1&resourceVersion=0&timeoutSeconds=1`)
await askServer(server, credentials, MAPS, { pair: null })
await askServer(server, credentials, MAPS, { pair: null, headers: { Authorization: 'Bearer x' } })
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's' },
  spec: { type: 'NodePort', ports: [{ port: 80 }] },
}
await ask('/api/v1/namespaces/default/services', 'POST', service)
await ask('/apis/coordination.k8s.io/v1beta1/leasecandidates')
await ask(MAPS)
const families = await scrape()

for (const [name, fact] of Object.entries(claimed as Record<string, { type: string; labels: string[] }>))
  test(`${name} is a ${fact.type} with upstream's labels`, () => {
    const family = families.get(name)
    assert.ok(family !== undefined, 'missing')
    assert.equal(family.type, fact.type)
    const labels = [...family.labels].filter((label) => label !== 'le').toSorted()
    if (family.values.size > 0) assert.deepEqual(labels, fact.labels)
  })

function valueOf(name: string, labels: Record<string, string>): number {
  const family = families.get(name.replace(/_(count|sum|bucket)$/, '')) ?? families.get(name)
  const found = [...(family?.values ?? [])].filter(
    ([key]) =>
      key.startsWith(`${name}{`) &&
      Object.entries(labels).every(([label, value]) => key.includes(`${label}="${value}"`)),
  )
  return found.reduce((sum, [, value]) => sum + value, 0)
}

test('values are those of what was asked', () => {
  const post = { verb: 'POST', resource: 'configmaps', scope: 'resource' }
  assert.equal(valueOf('apiserver_request_total', { ...post, code: '409' }), 1)
  assert.ok(valueOf('apiserver_request_duration_seconds_count', post) >= 2)
  assert.ok(valueOf('apiserver_request_body_size_bytes_count', { resource: 'configmaps', verb: 'create' }) >= 2)
  assert.ok(valueOf('apiserver_watch_events_total', { resource: 'configmaps' }) >= 1)
  assert.equal(valueOf('apiserver_longrunning_requests', { verb: 'WATCH', resource: 'configmaps' }) >= 0, true)
  assert.equal(valueOf('authentication_attempts', { result: 'failure' }), 1)
  assert.equal(valueOf('authorization_attempts_total', { result: 'no-opinion' }), 1)
  assert.ok(valueOf('etcd_requests_total', { operation: 'create', resource: 'configmaps' }) >= 1)
  assert.ok(valueOf('apiserver_resource_objects', { resource: 'configmaps' }) >= 1)
  assert.equal(valueOf('kube_apiserver_nodeport_allocator_allocated_ports', {}), 1)
  const admitted = { name: 'NamespaceLifecycle', type: 'admit', operation: 'CREATE', rejected: 'false' }
  assert.ok(valueOf('apiserver_admission_controller_admission_duration_seconds_count', admitted) >= 2)
  const step = { type: 'validate', operation: 'CREATE', rejected: 'false' }
  assert.ok(valueOf('apiserver_admission_step_admission_duration_seconds_count', step) >= 2)
  const list = { verb: 'LIST', resource: 'configmaps', scope: 'namespace' }
  assert.equal(valueOf('apiserver_response_sizes_count', list), 1)
  assert.ok(valueOf('apiserver_response_sizes_sum', list) > 100)
  const lists = { resource: 'configmaps', storage: 'watchcache' }
  assert.ok(valueOf('apiserver_storage_list_returned_objects_total', lists) >= 1)
  // The Service and `kubernetes`.
  assert.equal(valueOf('kube_apiserver_clusterip_allocator_allocated_ips', { cidr: '10.96.0.0/16' }), 2)
})
