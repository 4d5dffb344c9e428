/** Decisions of RBAC, with the reasons that upstream gives. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '#api/rbac/v1.gen.ts'
import { StatusError } from '#machinery/status-error.ts'
import { OK, requestOf, userOf } from '../testing.ts'
import type { UserInfo } from '../request.ts'
import type { PolicyRule } from './authorizer.ts'
import { attributesOf, createAuthorizationStage } from './authorization-stage.ts'
import { RbacAuthorizer } from './rbac-authorizer.ts'
import { RbacIndex } from './rbac-index.ts'
import { uncoveredRules } from './rule-cover.ts'
import { SuperuserAuthorizer, UnionAuthorizer } from './union-authorizer.ts'

const READ_PODS: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }
const meta = (name: string, namespace?: string) =>
  ({ name, ...(namespace === undefined ? {} : { namespace }) }) as never
const clusterRole = (name: string, ...rules: PolicyRule[]) =>
  ({ metadata: meta(name), rules }) as unknown as ClusterRole
const role = (namespace: string, name: string, ...rules: PolicyRule[]) =>
  ({ metadata: meta(name, namespace), rules }) as unknown as Role
const toClusterRole = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name })
const toRole = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name })
const user = (name: string): Subject => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })

function setUp() {
  const index = new RbacIndex()
  const authorizer = new RbacAuthorizer(index)
  const ask = (who: UserInfo, method: string, target: string) =>
    authorizer.authorize(attributesOf(requestOf(method, target, { user: who })))
  return { index, authorizer, ask }
}

test('a cluster role binding allows in every namespace, and says by what', async () => {
  const { index, ask } = setUp()
  index.setRole(clusterRole('reader', READ_PODS))
  index.setBinding({
    metadata: meta('readers'),
    roleRef: toClusterRole('reader'),
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'team' }],
  } as ClusterRoleBinding)
  const alice = userOf('alice', 'team')
  assert.deepEqual(await ask(alice, 'GET', '/api/v1/namespaces/a/pods/p'), {
    verdict: 'allow',
    reason: 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "team"',
  })
  assert.equal((await ask(alice, 'GET', '/api/v1/namespaces/a/pods/p/log')).verdict, 'no-opinion')
  assert.equal((await ask(alice, 'DELETE', '/api/v1/namespaces/a/pods/p')).verdict, 'no-opinion')
  assert.equal((await ask(userOf('bob'), 'GET', '/api/v1/namespaces/a/pods/p')).verdict, 'no-opinion')
})

test('a role binding allows in its namespace, to a service account of it', async () => {
  const { index, ask } = setUp()
  index.setRole(role('a', 'reader', READ_PODS))
  const binding = {
    metadata: meta('readers', 'a'),
    roleRef: toRole('reader'),
    subjects: [{ kind: 'ServiceAccount', name: 'robot' }],
  } as RoleBinding
  index.setBinding(binding)
  const robot = userOf('system:serviceaccount:a:robot')
  assert.deepEqual(await ask(robot, 'GET', '/api/v1/namespaces/a/pods'), {
    verdict: 'allow',
    reason: 'RBAC: allowed by RoleBinding "readers/a" of Role "reader" to ServiceAccount "robot/a"',
  })
  assert.equal((await ask(robot, 'GET', '/api/v1/namespaces/b/pods')).verdict, 'no-opinion')
  assert.equal((await ask(robot, 'GET', '/api/v1/pods')).verdict, 'no-opinion')
  index.deleteBinding(binding)
  assert.equal((await ask(robot, 'GET', '/api/v1/namespaces/a/pods')).verdict, 'no-opinion')
})

test('a changed binding drops its old subjects; a missing role is named', async () => {
  const { index, ask } = setUp()
  const binding = { metadata: meta('b'), roleRef: toClusterRole('gone') }
  index.setBinding({ ...binding, subjects: [user('alice')] } as ClusterRoleBinding)
  index.setBinding({ ...binding, subjects: [user('bob')] } as ClusterRoleBinding)
  assert.equal((await ask(userOf('alice'), 'GET', '/api/v1/pods')).reason, '')
  assert.deepEqual(await ask(userOf('bob'), 'GET', '/api/v1/pods'), {
    verdict: 'no-opinion',
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
  })
})

test('names, subresources, wildcards and paths', async () => {
  const { index, ask } = setUp()
  const rules: PolicyRule[] = [
    { verbs: ['update'], apiGroups: ['apps'], resources: ['*/scale'] },
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['one'] },
    { verbs: ['get'], nonResourceURLs: ['/healthz/*', '/version'] },
  ]
  index.setRole(clusterRole('mixed', ...rules))
  index.setBinding({
    metadata: meta('b'),
    roleRef: toClusterRole('mixed'),
    subjects: [user('u')],
  } as ClusterRoleBinding)
  const verdicts: [string, string, string][] = [
    ['PUT', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'allow'],
    ['PUT', '/apis/apps/v1/namespaces/a/deployments/d', 'no-opinion'],
    ['GET', '/api/v1/namespaces/a/secrets/one', 'allow'],
    ['GET', '/api/v1/namespaces/a/secrets/two', 'no-opinion'],
    ['GET', '/api/v1/namespaces/a/secrets', 'no-opinion'],
    ['GET', '/healthz/etcd', 'allow'],
    ['GET', '/healthz', 'no-opinion'],
    ['GET', '/version', 'allow'],
  ]
  for (const [method, target, verdict] of verdicts)
    assert.equal((await ask(userOf('u'), method, target)).verdict, verdict, `${method} ${target}`)
})

test('a refusal has upstream words, and details only for resources', async () => {
  const { authorizer } = setUp()
  const stage = createAuthorizationStage(new UnionAuthorizer([new SuperuserAuthorizer(), authorizer]))
  const refusalOf = async (method: string, target: string): Promise<StatusError> => {
    const error = await stage(requestOf(method, target, { user: userOf('x') }), async () => OK).catch((e: unknown) => e)
    assert.ok(error instanceof StatusError)
    return error
  }
  const list = await refusalOf('GET', '/api/v1/namespaces/default/pods')
  assert.equal(
    list.message,
    'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"',
  )
  assert.deepEqual(list.details, { kind: 'pods' })
  const scale = await refusalOf('PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale')
  assert.equal(
    scale.message,
    'deployments.apps "d" is forbidden: User "x" cannot patch resource "deployments/scale" in API group "apps" in the namespace "a"',
  )
  const path = await refusalOf('GET', '/metrics')
  assert.equal(path.message, 'forbidden: User "x" cannot get path "/metrics"')
  assert.deepEqual(path.details, {})
  const root = requestOf('GET', '/metrics', { user: userOf('root', 'system:masters') })
  assert.equal(await stage(root, async () => OK), OK)
})

test('rules that are covered by others', () => {
  const owned: PolicyRule[] = [READ_PODS, { verbs: ['*'], apiGroups: ['apps'], resources: ['*'] }]
  assert.deepEqual(uncoveredRules(owned, [READ_PODS]), [])
  assert.deepEqual(uncoveredRules(owned, [{ verbs: ['delete'], apiGroups: ['apps'], resources: ['deployments'] }]), [])
  assert.deepEqual(uncoveredRules(owned, [{ verbs: ['get', 'watch'], apiGroups: [''], resources: ['pods'] }]), [
    { verbs: ['watch'], apiGroups: [''], resources: ['pods'] },
  ])
  const named: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }
  assert.equal(
    uncoveredRules([named], [{ ...named, resourceNames: [] }]).length,
    1,
    'one name does not cover all names',
  )
  assert.deepEqual(
    uncoveredRules([{ verbs: ['get'], nonResourceURLs: ['/a/*'] }], [{ verbs: ['get'], nonResourceURLs: ['/a/b'] }]),
    [],
  )
})
