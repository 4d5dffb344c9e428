/** Admission as requests meet it: quotas, limits, pod security, service accounts, classes, certificates. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from '../endpoints/testing.ts'

const MERGE = { contentType: 'application/merge-patch+json' }

let server: TestServer
before(async () => void (server = await TestServer.start()))
after(() => server.close())

async function namespace(name: string, labels: Record<string, string> = {}): Promise<string> {
  await server.created('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  const path = `/api/v1/namespaces/${name}`
  await server.created(`${path}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  })
  return path
}

const podOf = (name: string, spec: object = {}, container: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i', ...container }], ...spec },
})

test('nothing is created in a namespace that does not exist', async () => {
  const { body } = await server.request('POST', '/api/v1/namespaces/none/pods', podOf('p'))
  assert.partialDeepStrictEqual(body, { code: 404, message: 'namespaces "none" not found' })
})

test('a quota counts what is created; two writes at once do not exceed it together', async () => {
  const path = await namespace('quota')
  const hard = { pods: '2', 'requests.cpu': '1' }
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard } }
  await server.created(`${path}/resourcequotas`, quota)
  const cpu = (amount: string) => ({ resources: { requests: { cpu: amount } } })
  const create = (name: string, amount: string) =>
    server.request('POST', `${path}/pods`, podOf(name, {}, amount === '' ? {} : cpu(amount)))
  const uncounted = { status: { hard, used: { pods: '0', 'requests.cpu': '0' } } }
  await server.request('PATCH', `${path}/resourcequotas/q/status`, uncounted, MERGE)
  assert.match(String((await create('a', '')).body['message']), /failed quota: q: must specify requests.cpu for: c/)
  const answers = await Promise.all([create('a', '600m'), create('b', '600m')])
  assert.deepEqual(answers.map(({ code }) => code).toSorted(), [201, 403])
  const refused = answers.find(({ code }) => code === 403)!
  assert.match(
    String(refused.body['message']),
    /exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1$/,
  )
  assert.partialDeepStrictEqual((await server.request('GET', `${path}/resourcequotas/q`)).body, {
    status: { used: { pods: '1', 'requests.cpu': '600m' } },
  })
})

test('limits set defaults and refuse what is out of bounds', async () => {
  const path = await namespace('limits')
  await server.created(`${path}/limitranges`, {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'l' },
    spec: {
      limits: [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' }, max: { cpu: '2' } }],
    },
  })
  const { body } = await server.request('POST', `${path}/pods`, podOf('p'))
  assert.partialDeepStrictEqual(body, {
    metadata: {
      annotations: {
        'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
      },
    },
    spec: { containers: [{ resources: { requests: { cpu: '500m' }, limits: { cpu: '1' } } }] },
  })
  const large = await server.request('POST', `${path}/pods`, podOf('q', {}, { resources: { limits: { cpu: '3' } } }))
  assert.match(String(large.body['message']), /forbidden: maximum cpu usage per Container is 2, but limit is 3$/)
})

test('pod security enforces on pods, and warns about templates', async () => {
  const path = await namespace('secure', { 'pod-security.kubernetes.io/enforce': 'baseline' })
  const { body } = await server.request('POST', `${path}/pods`, podOf('p', { hostPID: true }))
  assert.equal(
    body['message'],
    'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  )
  assert.equal((await server.request('POST', `${path}/pods`, podOf('q'))).code, 201)
  const template = {
    metadata: { labels: { app: 'w' } },
    spec: { hostPID: true, containers: [{ name: 'c', image: 'i' }] },
  }
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec: { template } }
  Object.assign(template.spec, { restartPolicy: 'Never' })
  const warned = await server.request('POST', '/apis/batch/v1/namespaces/secure/jobs', job)
  assert.equal(warned.code, 201)
  assert.deepEqual(warned.warnings, ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'])
  const stricter = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }
  const { warnings } = await server.request('PATCH', path, stricter, MERGE)
  assert.equal(
    warnings[0],
    'existing pods in namespace "secure" violate the new PodSecurity enforce level "restricted:latest"',
  )
  const bad = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'x' } } }
  assert.equal((await server.request('PATCH', path, bad, MERGE)).code, 422)
})

test('an account that insists on it keeps other secrets out of its pods', async () => {
  await server.created('/api/v1/namespaces/n/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'strict', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
    secrets: [{ name: 'own' }],
  })
  const withSecret = (name: string): object =>
    podOf(name, { serviceAccountName: 'strict', volumes: [{ name: 'v', secret: { secretName: name } }] })
  const path = '/api/v1/namespaces/n/pods'
  assert.equal((await server.request('POST', path, withSecret('own'))).code, 201)
  assert.match(
    String((await server.request('POST', path, withSecret('other'))).body['message']),
    /volume with secret.secretName="other" is not allowed because service account strict does not reference that secret$/,
  )
})

test('claims get the newest default class and a finalizer; they stay until nothing uses them', async () => {
  await server.created('/apis/storage.k8s.io/v1/storageclasses', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'example.com/p',
  })
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c' }, spec }
  const path = '/api/v1/namespaces/n/persistentvolumeclaims'
  const stored = await server.created(path, claim)
  assert.partialDeepStrictEqual(stored, {
    metadata: { finalizers: ['kubernetes.io/pvc-protection'] },
    spec: { storageClassName: 'fast' },
  })
  const larger = { spec: { resources: { requests: { storage: '2Gi' } } } }
  assert.equal((await server.request('PATCH', `${path}/c`, larger, MERGE)).code, 422)
  const deleted = await server.request('DELETE', `${path}/c`)
  assert.equal(deleted.body['kind'], 'PersistentVolumeClaim')
  assert.equal((await server.request('GET', `${path}/c`)).code, 200)
})

test('a runtime class adds its overhead, and must exist', async () => {
  await server.created('/apis/node.k8s.io/v1/runtimeclasses', {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'vm' },
    handler: 'vm',
    overhead: { podFixed: { cpu: '100m' } },
    scheduling: { nodeSelector: { vm: 'yes' } },
  })
  const path = '/api/v1/namespaces/n/pods'
  const pod = await server.created(path, podOf('vm', { runtimeClassName: 'vm' }))
  assert.partialDeepStrictEqual(pod, { spec: { overhead: { cpu: '100m' }, nodeSelector: { vm: 'yes' } } })
  const missing = await server.request('POST', path, podOf('vm2', { runtimeClassName: 'none' }))
  assert.match(String(missing.body['message']), /pod rejected: RuntimeClass "none" not found$/)
})

test('a pod is not resized to more than its node has', async () => {
  const path = await namespace('resize')
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'small' } }
  await server.created('/api/v1/nodes', node)
  const status = { status: { allocatable: { cpu: '2', memory: '1Gi', pods: '10' } } }
  await server.request('PATCH', '/api/v1/nodes/small/status', status, MERGE)
  const requests = { cpu: '100m', memory: '1Mi' }
  await server.created(`${path}/pods`, podOf('p', { nodeName: 'small' }, { resources: { requests } }))
  const resize = (cpu: string, memory: string) => {
    const body = { spec: { containers: [{ name: 'c', resources: { requests: { cpu, memory } } }] } }
    return server.request('PATCH', `${path}/pods/p/resize`, body, {
      contentType: 'application/strategic-merge-patch+json',
    })
  }
  const tooMuch = await resize('2001m', '2Gi')
  assert.partialDeepStrictEqual(tooMuch.body, {
    code: 403,
    message:
      'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 2001, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824',
    details: { causes: [{ reason: 'NodeCapacity' }] },
  })
  assert.equal((await resize('2', '1Gi')).code, 200)
})

test('access to devices that others use is for labelled namespaces', async () => {
  const paths = [
    await namespace('plain'),
    await namespace('devices', { 'resource.kubernetes.io/admin-access': 'true' }),
  ]
  const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', adminAccess: true } }] } }
  const metadata = { name: 'd' }
  const claim = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata, spec }
  const template = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate', metadata, spec: { spec } }
  const codes: [string, number, unknown][] = []
  for (const path of paths)
    for (const [resource, object] of Object.entries({ resourceclaims: claim, resourceclaimtemplates: template })) {
      const { code, body } = await server.request(
        'POST',
        `/apis/resource.k8s.io/v1${path.slice(7)}/${resource}`,
        object,
      )
      const { causes } = (body['details'] ?? {}) as { causes?: { field: string }[] }
      codes.push([resource, code, causes?.[0]?.field])
    }
  assert.deepEqual(codes, [
    ['resourceclaims', 422, 'spec.devices.requests[0].adminAccess'],
    ['resourceclaimtemplates', 422, 'spec.devices.requests[0].adminAccess'],
    ['resourceclaims', 201, undefined],
    ['resourceclaimtemplates', 201, undefined],
  ])
})
