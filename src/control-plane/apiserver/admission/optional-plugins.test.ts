/** Plugins that are off by default, and what their configuration does. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { ALLOW_ALL, TestServer, type TestAnswer } from '../endpoints/testing.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { userOf } from '../testing.ts'
import type { AdmissionAttributes } from './admission.ts'
import { createEventRateLimit, validateEventLimits } from './event-rate-limit.ts'
import { DEFAULT_PLUGIN_NAMES, PLUGIN_NAMES, type AdmissionSettings } from './index.ts'
import { readAdmissionConfiguration } from './configuration.ts'
import { selectionProblems } from './selection.ts'

const CORE = '/api/v1/namespaces/n'
const MERGE = { contentType: 'application/merge-patch+json' }

async function serverWith(
  t: TestContext,
  enabled: readonly string[],
  configuration = '',
  authorizer: Authorizer = ALLOW_ALL,
): Promise<TestServer> {
  const configurations = configuration === '' ? {} : { configurations: await configurationsOf(configuration) }
  const server = await TestServer.start(authorizer, {}, { enabled, ...configurations } satisfies AdmissionSettings)
  t.after(() => server.close())
  return server
}

const configurationsOf = (parts: string) =>
  readAdmissionConfiguration(
    `apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n${parts}`,
    async () => '',
  )

const podOf = (name: string, spec: object = {}, container: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i:1', ...container }], ...spec },
})

const messageOf = ({ body }: TestAnswer): string => String(body['message'])

test('names and defaults are upstream’s', () => {
  assert.equal(PLUGIN_NAMES.length, 39)
  assert.equal(DEFAULT_PLUGIN_NAMES.length, 25)
  assert.deepEqual(selectionProblems({ enabled: ['X', 'Priority'], disabled: ['Priority', 'Y'] }, PLUGIN_NAMES), [
    'enable-admission-plugins plugin "X" is unknown',
    'disable-admission-plugins plugin "Y" is unknown',
    '[Priority] in enable-admission-plugins and disable-admission-plugins overlapped',
  ])
})

test('a disabled plugin does nothing', async (t) => {
  const server = await TestServer.start(ALLOW_ALL, {}, { disabled: ['ServiceAccount', 'NamespaceLifecycle'] })
  t.after(() => server.close())
  const pod = await server.created('/api/v1/namespaces/none/pods', podOf('p'))
  assert.equal((pod as unknown as { spec: { serviceAccountName?: string } }).spec.serviceAccountName, undefined)
})

test('images are always pulled', async (t) => {
  const server = await serverWith(t, ['AlwaysPullImages'])
  const volumes = [{ name: 'v', image: { reference: 'i', pullPolicy: 'IfNotPresent' } }]
  const pod = await server.created(`${CORE}/pods`, podOf('p', { volumes }, { imagePullPolicy: 'Never' }))
  assert.partialDeepStrictEqual(pod, {
    spec: { containers: [{ imagePullPolicy: 'Always' }], volumes: [{ image: { pullPolicy: 'Always' } }] },
  })
})

test('services keep the external addresses that they have', async (t) => {
  const service = (name: string, externalIPs: string[]): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }], externalIPs },
  })
  const server = await serverWith(t, ['DenyServiceExternalIPs'])
  const refused = await server.request('POST', `${CORE}/services`, service('s', ['192.0.2.1']))
  assert.equal(messageOf(refused), 'services "s" is forbidden: Use of external IPs is denied by admission control')
  await server.created(`${CORE}/services`, service('s', []))
})

test('a namespace’s node selector is added to its pods, and theirs must not differ', async (t) => {
  const server = await serverWith(
    t,
    ['PodNodeSelector'],
    `- name: PodNodeSelector\n  configuration: {podNodeSelectorPluginConfig: {clusterDefaultNodeSelector: "a=b", "n": "a=b,c=d"}}\n`,
  )
  assert.partialDeepStrictEqual(await server.created(`${CORE}/pods`, podOf('p', { nodeSelector: { c: 'd' } })), {
    spec: { nodeSelector: { a: 'b', c: 'd' } },
  })
  const differs = await server.request('POST', `${CORE}/pods`, podOf('q', { nodeSelector: { a: 'x' } }))
  assert.match(messageOf(differs), /pod node label selector conflicts with its namespace node label selector$/)
  const wide = await server.request('POST', `${CORE}/pods`, podOf('q', { nodeSelector: { e: 'f' } }))
  assert.match(messageOf(wide), /pod node label selector labels conflict with its namespace whitelist$/)
})

test('tolerations come from the namespace, and only those that it allows', async (t) => {
  const server = await serverWith(t, ['PodTolerationRestriction'])
  const annotations = {
    'scheduler.alpha.kubernetes.io/defaultTolerations': '[{"key":"a","operator":"Exists"}]',
    'scheduler.alpha.kubernetes.io/tolerationsWhitelist':
      '[{"key":"a","operator":"Exists"},{"operator":"Exists","effect":"NoExecute"}]',
  }
  await server.request('PATCH', '/api/v1/namespaces/n', { metadata: { annotations } }, MERGE)
  const pod = await server.created(`${CORE}/pods`, podOf('p'))
  assert.partialDeepStrictEqual(pod, {
    spec: { tolerations: [{ key: 'node.kubernetes.io/not-ready' }, {}, { key: 'a' }] },
  })
  const refused = await server.request(
    'POST',
    `${CORE}/pods`,
    podOf('q', { tolerations: [{ key: 'b', operator: 'Exists' }] }),
  )
  assert.partialDeepStrictEqual(refused.body, {
    code: 500,
    message:
      'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
  })
})

test('devices bring their tolerations, and anti-affinity stays on the node', async (t) => {
  const server = await serverWith(t, ['ExtendedResourceToleration', 'LimitPodHardAntiAffinityTopology'])
  const amounts = { 'example.com/gpu': '1' }
  const pod = await server.created(
    `${CORE}/pods`,
    podOf('p', {}, { resources: { requests: amounts, limits: amounts } }),
  )
  const { tolerations } = (pod as unknown as { spec: { tolerations: object[] } }).spec
  assert.deepEqual(
    tolerations.filter((one) => 'key' in one && one.key === 'example.com/gpu'),
    [{ key: 'example.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
  )
  const term = { topologyKey: 'zone', labelSelector: {} }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  assert.match(
    messageOf(await server.request('POST', `${CORE}/pods`, podOf('q', { affinity }))),
    /has TopologyKey zone but only key kubernetes.io\/hostname is allowed$/,
  )
})

test('a namespace is made for what is created in it', async (t) => {
  const server = await serverWith(t, ['NamespaceAutoProvision', 'NamespaceExists'])
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }
  await server.created('/api/v1/namespaces/new/configmaps', map)
  assert.equal((await server.request('GET', '/api/v1/namespaces/new')).code, 200)
})

test('everything is denied', async (t) => {
  const server = new TestServer(ALLOW_ALL, {}, { enabled: ['AlwaysDeny'] })
  t.after(() => server.close())
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }
  const { body } = await server.request('POST', '/api/v1/namespaces', namespace)
  assert.equal(body['message'], 'namespaces "x" is forbidden: admission control is denying all modifications')
})

test('an owner whose deletion is held up must be one that the writer may finalize', async (t) => {
  const authorizer: Authorizer = {
    ...ALLOW_ALL,
    authorize: async ({ subresource }) => ({
      verdict: subresource === 'finalizers' ? 'no-opinion' : 'allow',
      reason: '',
    }),
  }
  const server = await serverWith(t, ['OwnerReferencesPermissionEnforcement'], '', authorizer)
  const owned = (blockOwnerDeletion: boolean, kind = 'ConfigMap'): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `m-${blockOwnerDeletion}`,
      ownerReferences: [{ apiVersion: 'v1', kind, name: 'o', uid: 'u', blockOwnerDeletion }],
    },
  })
  await server.created(`${CORE}/configmaps`, owned(false))
  assert.match(
    messageOf(await server.request('POST', `${CORE}/configmaps`, owned(true))),
    /cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>$/,
  )
  assert.match(
    messageOf(await server.request('POST', `${CORE}/configmaps`, owned(true, 'Nothing'))),
    /cannot find RESTMapping for APIVersion v1 Kind Nothing: no matches for kind "Nothing" in version "v1"$/,
  )
})

test('what the cluster limits needs a quota', async (t) => {
  const limited =
    '{apiVersion: apiserver.config.k8s.io/v1, kind: ResourceQuotaConfiguration, limitedResources: [{resource: pods, matchContains: [requests.cpu], matchScopes: [{scopeName: PriorityClass, operator: In, values: [system-node-critical]}]}]}'
  const server = await serverWith(t, [], `- name: ResourceQuota\n  configuration: ${limited}\n`)
  const requests = { cpu: '1' }
  const refused = await server.request('POST', `${CORE}/pods`, podOf('p', {}, { resources: { requests } }))
  assert.match(messageOf(refused), /forbidden: insufficient quota to consume: requests.cpu$/)
  await server.created('/apis/scheduling.k8s.io/v1/priorityclasses', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1,
  })
  await server.created(`${CORE}/pods`, podOf('p', { priorityClassName: 'high' }))
})

test('Pod Security exempts users, namespaces and runtime classes, and has defaults', async (t) => {
  const configuration = `- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline}
    exemptions: {usernames: [free], namespaces: [open]}
`
  const server = await serverWith(t, [], configuration)
  const host = podOf('p', { hostPID: true })
  const refused = await server.request('POST', `${CORE}/pods`, host)
  assert.match(messageOf(refused), /violates PodSecurity "baseline:latest": host namespaces \(hostPID=true\)$/)
  assert.equal((await server.request('POST', `${CORE}/pods`, host, { user: userOf('free') })).code, 201)
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const open = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'open', labels } }
  assert.deepEqual((await server.request('POST', '/api/v1/namespaces', open)).warnings, [
    'namespace "open" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored',
  ])
})

test('a configuration that cannot be read keeps the server from starting', async () => {
  const start = async (parts: string) =>
    new TestServer(ALLOW_ALL, {}, { enabled: ['EventRateLimit'], configurations: await configurationsOf(parts) })
  await assert.rejects(
    start(''),
    /couldn't init admission plugin "EventRateLimit": limits: Invalid value: \[\]: must not be empty/,
  )
  await assert.rejects(
    start(
      '- {name: PodSecurity, configuration: {apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, defaults: {enforce: x}}}\n',
    ),
    /PodSecurity invalid: defaults.enforce: Invalid value: "x": must be one of privileged, baseline, restricted/,
  )
})

test('events beyond the burst wait for the rate', async () => {
  const clock = new VirtualClock(0)
  const plugin = createEventRateLimit([{ type: 'User', qps: 1, burst: 2 }], clock)
  const write = (name: string): void =>
    plugin.validate!({
      kind: { kind: 'Event', group: '' },
      operation: 'CREATE',
      dryRun: false,
      user: userOf(name),
    } as unknown as AdmissionAttributes) as void
  write('a')
  write('a')
  assert.throws(() => write('a'), { code: 429, message: 'limit reached on type User for key a' })
  write('b')
  await clock.advance(1000)
  write('a')
  assert.throws(() => write('a'), { code: 429 })
})

test('names that every object inherits are no types and no fields', async () => {
  const [problem] = validateEventLimits([{ type: 'constructor', qps: 1, burst: 1 }])
  assert.match(problem!.message, /^Unsupported value: "constructor"/)
  await assert.rejects(
    readAdmissionConfiguration('constructor: {}', async () => ''),
    /no kind "" is registered for version ""/,
  )
})
