/** What Pod Security tells the audit log and the metrics of the pods and templates that it looks at. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { AdmissionMetrics } from '../../metrics/admission-metrics.ts'
import { WriteOutcome, type AdmissionAttributes } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { DEFAULT_POD_SECURITY, type PodSecurityConfiguration } from './configuration.ts'
import { createPodSecurity } from './pod-security.ts'

type Told = { annotations: Record<string, string>; warnings: string[]; refused: string | null; series: string[] }

const BASELINE_TEXT = 'PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }], hostNetwork: true } }

async function look(
  labels: Record<string, string>,
  options: { configuration?: PodSecurityConfiguration; resource?: string } = {},
): Promise<Told> {
  const { configuration = DEFAULT_POD_SECURITY, resource = 'pods' } = options
  const registry = new Registry()
  const marked = Object.entries(labels).map(([mode, level]) => [`pod-security.kubernetes.io/${mode}`, level])
  const cluster = { get: async () => ({ metadata: { name: 'n', labels: Object.fromEntries(marked) } }) }
  const { podSecurity } = new AdmissionMetrics(registry)
  const plugin = createPodSecurity(cluster as unknown as ClusterReader, configuration, podSecurity)
  const told: Told = { annotations: {}, warnings: [], refused: null, series: [] }
  const isPod = resource === 'pods'
  const attributes = {
    operation: 'CREATE',
    kind: { group: isPod ? '' : 'apps', version: 'v1', resource },
    namespace: 'n',
    name: 'p',
    subresource: '',
    object: isPod ? pod : { metadata: { name: 'd' }, spec: { template: pod } },
    oldObject: null,
    user: { name: 'jane', uid: '', groups: [], extra: {} },
    warn: (text: string) => told.warnings.push(text),
    annotate: (key: string, value: string) => (told.annotations[key.split('/')[1]!] = value),
    outcome: new WriteOutcome(),
  }
  await Promise.resolve(plugin.validate!(attributes as unknown as AdmissionAttributes)).catch((error: Error) => {
    told.refused = error.message
  })
  const text = await registry.metrics()
  told.series = [...text.matchAll(/^pod_security_(\w+)\{.*\} 1$/gm)].map(([line]) => line)
  return told
}

test('what an audited level would refuse is told to the audit log, and let through', async () => {
  const { annotations, refused, series } = await look({ audit: 'baseline' })
  assert.equal(refused, null)
  assert.deepEqual(annotations, {
    'enforce-policy': 'privileged:latest',
    'audit-violations': `would violate ${BASELINE_TEXT}`,
  })
  const request = 'request_operation="create",resource="pod",subresource=""'
  assert.deepEqual(series, [
    `pod_security_evaluations_total{decision="allow",policy_level="privileged",policy_version="latest",mode="enforce",${request}} 1`,
    `pod_security_evaluations_total{decision="deny",policy_level="baseline",policy_version="latest",mode="audit",${request}} 1`,
  ])
})

test('a refused pod is audited, and not warned about', async () => {
  const told = await look({ enforce: 'baseline', audit: 'baseline', warn: 'baseline' })
  assert.deepEqual(told.annotations, {
    'enforce-policy': 'baseline:latest',
    'audit-violations': `would violate ${BASELINE_TEXT}`,
  })
  assert.deepEqual(told.warnings, [])
  assert.ok(told.refused?.endsWith(`violates ${BASELINE_TEXT}`))
})

test('a template is audited and never refused', async () => {
  const told = await look({ enforce: 'baseline', audit: 'baseline' }, { resource: 'deployments' })
  assert.deepEqual(told.annotations, { 'audit-violations': `would violate ${BASELINE_TEXT}` })
  assert.equal(told.refused, null)
  assert.equal(told.series.filter((line) => line.includes('resource="controller"')).length, 2)
})

test('who asks for nothing, who is exempt, and what cannot be read', async () => {
  assert.deepEqual((await look({})).annotations, { 'enforce-policy': 'privileged:latest' })
  const exemptions = { usernames: ['jane'], namespaces: [], runtimeClasses: [] }
  const exempt = await look({ enforce: 'baseline' }, { configuration: { ...DEFAULT_POD_SECURITY, exemptions } })
  assert.deepEqual([exempt.annotations, exempt.refused], [{ exempt: 'user' }, null])
  assert.match(exempt.series[0]!, /^pod_security_exemptions_total/)
  const unreadable = await look({ audit: 'loose' })
  assert.match(
    unreadable.annotations['error']!,
    /^Failed to parse policy: metadata.labels\[.*audit\]: Invalid value: "loose"/,
  )
  assert.match(unreadable.series.at(-1)!, /^pod_security_errors_total\{fatal="false",/)
})
