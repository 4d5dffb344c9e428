/** Objects that are stored without effect say so: to their writers, and in their status. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KINDS, kindOf } from '#api/kinds.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { TestServer } from '../endpoints/testing.ts'
import { withInertConditions } from './inert-conditions.ts'

const NOW = '2026-01-01T00:00:00Z'
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'
let server: TestServer
before(async () => void (server = await TestServer.start()))
after(() => server.close())

const hook = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'w' },
}
const apiService = (version: string, rules: object = {}): object => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: `${version}.x.test` },
  spec: { group: 'x.test', version, groupPriorityMinimum: 1, versionPriority: 1, ...rules },
})

test('a write is warned of, a rehearsal is not', async () => {
  const rehearsal = await server.request('POST', `${WEBHOOKS}?dryRun=All`, hook)
  assert.deepEqual([rehearsal.code, rehearsal.warnings], [201, []])
  const written = await server.request('POST', WEBHOOKS, hook)
  const text = 'this server stores ValidatingWebhookConfigurations and does not call their webhooks yet'
  assert.deepEqual([written.code, written.warnings], [201, [text]])
  const changed = { ...written.body, webhooks: [] }
  const updated = await server.request('PUT', `${WEBHOOKS}/w`, changed)
  assert.deepEqual([updated.code, updated.warnings], [200, [text]])
})

test('an APIService that this server answers itself needs no warning', async () => {
  assert.deepEqual((await server.request('POST', API_SERVICES, apiService('v1'))).warnings, [])
  const rules = { service: { namespace: 'n', name: 's' }, insecureSkipTLSVerify: true }
  const { code, warnings } = await server.request('POST', API_SERVICES, apiService('v2', rules))
  assert.equal(code, 201)
  assert.match(warnings.join(), /does not pass requests on/)
})

test('conditions that are missing are told, others are left alone', () => {
  const kind = kindOf('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')!
  const definition = { metadata: { name: 'a.b' }, status: { storedVersions: ['v1'] } } as unknown as KubernetesObject
  const told = withInertConditions(kind, definition, NOW) as unknown as {
    status: { storedVersions: string[]; conditions: { type: string; status: string; lastTransitionTime: string }[] }
  }
  assert.deepEqual(told.status.storedVersions, ['v1'])
  assert.deepEqual(
    told.status.conditions.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
    [
      ['NamesAccepted', 'False', NOW],
      ['Established', 'False', NOW],
    ],
  )
  assert.equal(withInertConditions(kind, told as unknown as KubernetesObject, NOW), null)
  const local = kindOf('apiregistration.k8s.io', 'v1', 'apiservices')!
  assert.equal(withInertConditions(local, { ...apiService('v1') } as KubernetesObject, NOW), null)
  assert.equal(withInertConditions(kindOf('', 'v1', 'pods')!, definition, NOW), null)
})

test('each kind that only gets stored says what does not happen', () => {
  for (const { inert, resource } of KINDS)
    if (inert !== undefined && resource !== 'apiservices')
      assert.match(inert.warning({ metadata: {} } as KubernetesObject) ?? '', /^this server stores .* yet$/, resource)
})
