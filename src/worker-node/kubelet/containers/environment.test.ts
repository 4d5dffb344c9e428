/** The environment that containers get. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Service } from '#api/core/v1.gen.ts'
import { aContainer, aPod } from '../testing/builders.ts'
import { expandReferences, expandStrictly } from './expand.ts'
import { makeEnvironment, parseEnvFile, type EnvironmentSources } from './environment.ts'

const SERVICES = [
  { metadata: { name: 'kubernetes', namespace: 'default' }, spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] } },
  {
    metadata: { name: 'my-db', namespace: 'default' },
    spec: { clusterIP: '10.96.0.9', ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
  },
  { metadata: { name: 'headless', namespace: 'default' }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } },
  { metadata: { name: 'far', namespace: 'other' }, spec: { clusterIP: '10.96.0.8', ports: [{ port: 1 }] } },
] as unknown as Service[]

const sources: EnvironmentSources = {
  facts: { nodeName: 'n1', hostIps: ['192.168.0.2'], podIps: ['10.244.0.2'], allocatable: { cpu: '4', memory: '8Gi' } },
  services: () => SERVICES,
  configMap: (_namespace, name) =>
    Promise.resolve(name === 'settings' ? ({ metadata: {}, data: { a: '1', b: '2' } } as never) : null),
  secret: (_namespace, name) =>
    Promise.resolve(
      name === 'keys' ? ({ metadata: {}, data: { k: Buffer.from('geheim').toString('base64') } } as never) : null,
    ),
  envFile: () => Promise.resolve("A='x'\nB='two\nlines'\n"),
}

async function environment(container: Partial<Container>, enableServiceLinks = false): Promise<Record<string, string>> {
  const map = await makeEnvironment(aPod({ enableServiceLinks }), aContainer('main', container), sources)
  return Object.fromEntries([...map].map(([name, value]) => [name, value.toString()]))
}

test('services of the namespace are told, and the API server always', async () => {
  const all = await environment({}, true)
  assert.equal(all['MY_DB_SERVICE_HOST'], '10.96.0.9')
  assert.equal(all['MY_DB_SERVICE_PORT_SQL'], '5432')
  assert.equal(all['MY_DB_PORT_5432_TCP'], 'tcp://10.96.0.9:5432')
  assert.equal(all['KUBERNETES_SERVICE_PORT'], '443')
  assert.equal(all['FAR_SERVICE_HOST'], undefined)
  assert.equal(all['HEADLESS_SERVICE_HOST'], undefined)
  assert.deepEqual(
    Object.keys(await environment({})).filter((name) => name.endsWith('_SERVICE_HOST')),
    ['KUBERNETES_SERVICE_HOST'],
  )
})

test('values come from everywhere and may refer to those before them', async () => {
  const { KUBERNETES_SERVICE_HOST, ...own } = Object.fromEntries(
    Object.entries(
      await environment({
        resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } },
        envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }],
        env: [
          { name: 'PLAIN', value: 'x' },
          { name: 'BOTH', value: '$(PLAIN)-$(P_a)-$$(PLAIN)-$(NONE)-$(KUBERNETES_SERVICE_PORT)' },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } },
          { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '1Mi' } } },
          { name: 'NODE_MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
          { name: 'FILE', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'B' } } },
        ],
      }),
    ).filter(([name]) => !name.startsWith('KUBERNETES_PORT') && name !== 'KUBERNETES_SERVICE_PORT'),
  )
  assert.equal(KUBERNETES_SERVICE_HOST, '10.96.0.1')
  assert.deepEqual(own, {
    P_a: '1',
    P_b: '2',
    k: 'geheim',
    PLAIN: 'x',
    BOTH: 'x-1-$(PLAIN)-$(NONE)-443',
    KEY: 'geheim',
    POD: 'web',
    IP: '10.244.0.2',
    CPUS: '2',
    MEMORY: '64',
    NODE_MEMORY: '8',
    FILE: 'two\nlines',
  })
})

const MISTAKES: readonly [Partial<Container>, string][] = [
  [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
  [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
  [
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'z' } } }] },
    "couldn't find key z in ConfigMap default/settings",
  ],
  [
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'z' } } }] },
    "couldn't find key z in Secret default/keys",
  ],
]
for (const [container, message] of MISTAKES)
  test(`a container cannot start: ${message}`, async () => {
    await assert.rejects(environment(container), { message })
  })

test('references: unknown ones stay, a doubled dollar sign is one, strict ones fail', () => {
  const variables = new Map([['A', '1']])
  assert.equal(expandReferences('$(A) $(B) $$(A) $A $(', variables), '1 $(B) $(A) $A $(')
  assert.equal(expandStrictly('d/$(A)', variables), 'd/1')
  assert.throws(() => expandStrictly('$(B)', variables), /missing value for "B"/)
})

test('files of variables hold quoted values', () => {
  assert.deepEqual(
    [...parseEnvFile("A='1'\n# c\n  B='x y'\nC=3\n")],
    [
      ['A', '1'],
      ['B', 'x y'],
    ],
  )
})
