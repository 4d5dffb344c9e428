/** Default objects: what is repaired, and what belongs to the users of the cluster. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterRole, ClusterRoleBinding } from '#api/rbac/v1.gen.ts'
import { reconcileBinding, reconcileRole } from './reconcile-rbac.ts'
import { firstServiceAddress } from './service-range.ts'

const role = (rules: object[], metadata: object = {}): ClusterRole =>
  ({ metadata: { name: 'r', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' }, ...metadata }, rules }) as never

const GET_PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const GET_NODES = { verbs: ['get'], apiGroups: [''], resources: ['nodes'] }

test('a default role gets missing rules back and keeps what was added', () => {
  assert.deepEqual(reconcileRole(role([GET_PODS, GET_NODES]), role([GET_PODS])), { action: 'none' })
  const repaired = reconcileRole(role([GET_NODES]), role([GET_PODS]))
  assert.equal(repaired.action, 'update')
  assert.deepEqual(repaired.action === 'update' && repaired.object.rules, [GET_NODES, GET_PODS])
  const kept = role([], { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } })
  assert.deepEqual(reconcileRole(kept, role([GET_PODS])), { action: 'none' })
})

test('an aggregated role keeps the rules that a controller gave it', () => {
  const expected = { ...role([]), aggregationRule: { clusterRoleSelectors: [] } } as ClusterRole
  assert.deepEqual(reconcileRole(role([GET_NODES]), expected), { action: 'none' })
})

test('a default binding gets missing subjects back; one to another role is made anew', () => {
  const binding = (name: string, ...subjects: string[]): ClusterRoleBinding =>
    ({
      metadata: { name: 'b' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: subjects.map((subject) => ({ kind: 'User', name: subject })),
    }) as never
  assert.deepEqual(reconcileBinding(binding('r', 'a', 'b'), binding('r', 'a')), { action: 'none' })
  const repaired = reconcileBinding(binding('r', 'b'), binding('r', 'a'))
  assert.deepEqual(repaired.action === 'update' && repaired.object.subjects?.map(({ name }) => name), ['b', 'a'])
  assert.equal(reconcileBinding(binding('other', 'a'), binding('r', 'a')).action, 'recreate')
})

test('the address of the kubernetes Service', () => {
  assert.equal(firstServiceAddress('10.96.0.0/16'), '10.96.0.1')
  assert.equal(firstServiceAddress('fd00:10:96::/112,10.96.0.0/16'), 'fd00:10:96::1')
  assert.throws(() => firstServiceAddress('10.96.0.0'), /no range of addresses/)
})
