/** Answers of /livez and /readyz. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiResponse } from '../request.ts'
import { HealthChecks } from './health-checks.ts'

const textOf = (response: ApiResponse | null): string => {
  assert.ok(response !== null && response.body.form === 'raw' && typeof response.body.content === 'string')
  return `${response.code} ${response.body.content}`
}
const query = (text = '') => ({ query: new URLSearchParams(text) })

test('checks by name, all together, and without some', async () => {
  const health = new HealthChecks()
  let storeFailure: Error | null = null
  health.add('ping', () => {})
  health.add('etcd', () => {
    if (storeFailure !== null) throw storeFailure
  })
  const done = health.addStartHook('rbac/bootstrap-roles')
  assert.equal(await health.isReady(), false)
  done()
  assert.equal(await health.isReady(), true)
  assert.equal(textOf(await health.answer('readyz', '', query())), '200 ok')
  storeFailure = new Error('disk is full')
  assert.equal(
    textOf(await health.answer('readyz', '', query())),
    '500 [+]ping ok\n[-]etcd failed: reason withheld\n[+]poststarthook/rbac/bootstrap-roles ok\nreadyz check failed\n',
  )
  assert.equal(textOf(await health.answer('livez', 'etcd', query())), '500 internal server error: disk is full\n')
  assert.equal(textOf(await health.answer('livez', 'poststarthook/rbac/bootstrap-roles', query())), '200 ok')
  assert.match(textOf(await health.answer('livez', '', query('exclude=etcd&verbose'))), /^200 .*excluded: ok.*passed/s)
  assert.match(
    textOf(await health.answer('livez', '', query('exclude=etcd&exclude=x&verbose'))),
    /no matches for "x"\n/,
  )
  assert.equal(await health.answer('livez', 'no-such', query()), null)
})

test('checks are listed in the order of upstream, whenever they were added', async () => {
  const health = new HealthChecks()
  for (const name of ['shutdown', 'poststarthook/rbac/bootstrap-roles', 'own', 'etcd', 'ping'])
    health.add(name, () => {})
  const listed = textOf(await health.answer('readyz', '', query('verbose'))).match(/(?<=\])\S+/g)
  assert.deepEqual(listed, ['ping', 'etcd', 'poststarthook/rbac/bootstrap-roles', 'shutdown', 'own'])
})

test('work at start fails /livez only after the grace period; every result is told', async () => {
  let isInGrace = true
  const told: string[] = []
  const health = new HealthChecks({
    isInGrace: () => isInGrace,
    observe: (name, group, isWell) => told.push(`${group} ${name} ${isWell}`),
  })
  health.addStartHook('rbac/bootstrap-roles')
  assert.match(textOf(await health.answer('livez', '', query())), /^200/)
  assert.match(textOf(await health.answer('readyz', '', query())), /^500/)
  isInGrace = false
  assert.match(textOf(await health.answer('livez', '', query())), /^500/)
  const hook = 'poststarthook/rbac/bootstrap-roles'
  assert.deepEqual(told, [`livez ${hook} true`, `readyz ${hook} false`, `livez ${hook} false`])
})
