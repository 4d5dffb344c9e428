/** The list of kinds: cells fit columns, selectors give text, keys are those of Kubernetes. */
import assert from 'node:assert'
import { test } from 'node:test'
import { KINDS, kindOf } from './kinds.ts'

const NOW_MS = Date.parse('2026-01-02T00:00:00Z')

/** As little as a decoded object can hold. */
const bare = {
  metadata: { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { jobTemplate: {}, template: {}, schedule: '', scaleTargetRef: {} },
  roleRef: { kind: 'Role', name: 'r', apiGroup: '' },
  involvedObject: {},
}

test('each kind answers one cell for each column', () => {
  for (const kind of KINDS) {
    if (kind.table.columns.length === 0) continue
    const cells = kind.table.row(structuredClone(bare), NOW_MS)
    // Upstream's IPAddress rows have a cell that no column announces.
    const extra = kind.resource === 'ipaddresses' ? 1 : 0
    assert.equal(cells.length, kind.table.columns.length + extra, kind.resource)
    assert.ok(!cells.includes(undefined), `${kind.resource}: ${JSON.stringify(cells)}`)
  }
})

test('each selectable field gives text for a bare object', () => {
  for (const kind of KINDS)
    for (const [field, get] of Object.entries(kind.selectableFields))
      assert.equal(typeof get(structuredClone(bare)), 'string', `${kind.resource} ${field}`)
})

test('kinds are found by group, version and resource', () => {
  assert.equal(kindOf('', 'v1', 'pods')?.kind, 'Pod')
  assert.equal(kindOf('apps', 'v1', 'deployments')?.schema, 'io.k8s.api.apps.v1.Deployment')
  assert.equal(kindOf('apps', 'v1beta1', 'deployments'), undefined)
})

test('stored kinds keep the keys of Kubernetes', () => {
  const prefix = (group: string, version: string, resource: string): string | undefined =>
    kindOf(group, version, resource)?.storagePrefix
  assert.equal(prefix('', 'v1', 'services'), 'services/specs')
  assert.equal(prefix('', 'v1', 'endpoints'), 'services/endpoints')
  assert.equal(prefix('', 'v1', 'nodes'), 'minions')
  assert.equal(prefix('', 'v1', 'replicationcontrollers'), 'controllers')
  assert.equal(prefix('networking.k8s.io', 'v1', 'ingresses'), 'ingress')
  assert.equal(prefix('coordination.k8s.io', 'v1', 'leases'), 'leases')
  assert.equal(prefix('events.k8s.io', 'v1', 'events'), prefix('', 'v1', 'events'))
})
