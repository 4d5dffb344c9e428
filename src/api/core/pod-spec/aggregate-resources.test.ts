/** What a pod asks for: containers together, or its largest init step. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { PodSpec } from '#api/core/v1.gen.ts'
import { aggregateResources } from './aggregate-resources.ts'

const asks = (cpu: string, more: object = {}): object => ({ name: 'c', resources: { requests: { cpu } }, ...more })

function total(spec: object): string | undefined {
  return aggregateResources(spec as PodSpec, 'requests')['cpu']
}

test('main containers add up', () => {
  assert.equal(total({ containers: [asks('1'), asks('500m')] }), '1500m')
  assert.equal(total({ containers: [{ name: 'c' }] }), undefined)
})

test('the largest init container counts when it is more', () => {
  assert.equal(total({ containers: [asks('1')], initContainers: [asks('3'), asks('2')] }), '3')
  assert.equal(total({ containers: [asks('1')], initContainers: [asks('500m')] }), '1')
})

test('sidecars run beside everything that follows them', () => {
  const sidecar = asks('1', { restartPolicy: 'Always' })
  assert.equal(total({ containers: [asks('1')], initContainers: [sidecar, asks('3')] }), '4')
  assert.equal(total({ containers: [asks('1')], initContainers: [asks('3'), sidecar] }), '3')
})
