/** Which rules an aggregated role has. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ClusterRole, PolicyRule } from '#api/rbac/v1.gen.ts'
import { planRules } from './controller.ts'

const rule = (resource: string): PolicyRule => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
const role = (name: string, labels: Record<string, string>, rules: PolicyRule[]): ClusterRole => ({
  metadata: { name, labels, uid: name, resourceVersion: '1', creationTimestamp: '' },
  rules,
})

test('rules of matching roles, by name, each once, without its own', () => {
  const aggregated: ClusterRole = {
    ...role('admin', { to: 'admin' }, [rule('own')]),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'admin' } }] },
  }
  const roles = [
    aggregated,
    role('z', { to: 'admin' }, [rule('pods'), rule('nodes')]),
    role('a', { to: 'admin' }, [rule('pods')]),
    role('b', { to: 'view' }, [rule('secrets')]),
  ]
  assert.deepEqual(planRules(aggregated, roles), [rule('pods'), rule('nodes')])
})
