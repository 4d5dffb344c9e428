/** Which requests an audit policy records, and which policies are refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributesOf } from '../authorization/authorization-stage.ts'
import { requestOf } from '../testing.ts'
import { parseAuditPolicy } from './policy-file.ts'
import { AuditPolicyEvaluator } from './policy.ts'

const HEAD = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n'
const RULES = `${HEAD}omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: [system:kube-scheduler]
  verbs: [get, watch]
- level: None
  nonResourceURLs: [/healthz*, /version]
- level: Request
  userGroups: [dev]
  resources: [{group: "", resources: [pods/log, "*/scale", "nodes/*"]}]
- level: RequestResponse
  omitManagedFields: false
  omitStages: [ResponseStarted]
  namespaces: [default]
  resources: [{group: apps, resources: [deployments], resourceNames: [web]}, {group: batch}]
- level: Metadata
  namespaces: [kube-system]
`
const evaluator = new AuditPolicyEvaluator(parseAuditPolicy(RULES))

function levelOf(method: string, target: string, user = 'jane', groups: readonly string[] = []): string {
  const request = requestOf(method, target, { user: { name: user, uid: '', groups, extra: {} } })
  return evaluator.evaluate(attributesOf(request)).level
}

const CASES: readonly (readonly [level: string, method: string, target: string, user?: string, groups?: string[]])[] = [
  ['None', 'GET', '/api/v1/namespaces/kube-system/pods/p', 'system:kube-scheduler'],
  ['Metadata', 'POST', '/api/v1/namespaces/kube-system/pods', 'system:kube-scheduler'],
  ['None', 'GET', '/healthz/etcd'],
  ['None', 'GET', '/metrics'],
  ['Request', 'GET', '/api/v1/namespaces/n/pods/p/log', 'jane', ['dev']],
  ['None', 'GET', '/api/v1/namespaces/n/pods/p/log', 'jane', ['ops']],
  ['None', 'GET', '/api/v1/namespaces/n/pods/p', 'jane', ['dev']],
  ['Request', 'GET', '/api/v1/namespaces/n/replicationcontrollers/r/scale', 'jane', ['dev']],
  ['Request', 'GET', '/api/v1/nodes/n1/status', 'jane', ['dev']],
  ['RequestResponse', 'GET', '/apis/apps/v1/namespaces/default/deployments/web'],
  ['None', 'GET', '/apis/apps/v1/namespaces/default/deployments/other'],
  ['RequestResponse', 'GET', '/apis/batch/v1/namespaces/default/jobs/j/status'],
  ['None', 'GET', '/apis/batch/v1/jobs'],
]
for (const [level, method, target, user, groups] of CASES)
  test(`${method} ${target} of ${user ?? 'jane'} ${groups?.join() ?? ''}: ${level}`, () =>
    assert.equal(levelOf(method, target, user, groups), level))

test('stages and managed fields: a rule adds to the policy, or says otherwise', () => {
  const decide = (target: string) => evaluator.evaluate(attributesOf(requestOf('GET', target)))
  const jobs = decide('/apis/batch/v1/namespaces/default/jobs')
  assert.deepEqual([...jobs.omitStages], ['RequestReceived', 'ResponseStarted'])
  assert.equal(jobs.omitManagedFields, false)
  const system = decide('/api/v1/namespaces/kube-system/pods')
  assert.deepEqual([[...system.omitStages], system.omitManagedFields], [['RequestReceived'], true])
})

const REFUSALS: readonly (readonly [text: string, message: string | RegExp])[] = [
  [HEAD, 'loaded illegal policy with 0 rules'],
  [
    'apiVersion: audit.k8s.io/v1beta1\nkind: Policy\n',
    /no kind "Policy" is registered for version "audit.k8s.io\/v1beta1"/,
  ],
  ['{{{', /^failed decoding: /],
  [`${HEAD}rules: 3\n`, 'failed decoding: rules is no list of objects'],
  [`${HEAD}rules: [{level: None, verbs: get}]\n`, 'failed decoding: rules[0].verbs is no list of texts'],
  [
    `${HEAD}omitStages: [Bar]\nrules:\n- level: Foo\n- nonResourceURLs: ["x*y"]\n  namespaces: [default]\n`,
    `[omitStages[0]: Invalid value: "Bar": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic, rules[0].level: Unsupported value: "Foo": supported values: "None", "Metadata", "Request", "RequestResponse", rules[1].level: Required value, rules[1].nonResourceURLs[0]: Invalid value: "x*y": non-resource URL rules must begin with a '/' character, rules[1].nonResourceURLs[0]: Invalid value: "x*y": non-resource URL wildcards '*' must be the final character of the rule, rules[1].nonResourceURLs: Invalid value: ["x*y"]: rules cannot apply to both regular resources and non-resource URLs]`,
  ],
  [
    `${HEAD}rules: [{level: None, resources: [{resourceNames: [a]}]}]\n`,
    'rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource',
  ],
]
for (const [text, message] of REFUSALS)
  test(`a policy is refused: ${String(message).slice(0, 60)}`, () =>
    assert.throws(() => parseAuditPolicy(text), { message }))
