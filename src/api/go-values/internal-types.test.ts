/** The facts of internal types fit the types of the API that they stand beside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import '#api/schemas.ts'
import { hasSchema, schemaOf } from '#machinery/schema/registry.ts'
import { writeGoJson } from './go-json.ts'
import { goValueOf } from './go-value.ts'
import { INTERNAL_TYPES } from './internal-types.gen.ts'

test('each internal type has its type of the API, and each of its fields can be written', () => {
  for (const [name, facts] of Object.entries(INTERNAL_TYPES)) {
    assert.ok(hasSchema(name), name)
    const text = writeGoJson(goValueOf(schemaOf(name), {}))
    for (const fact of facts.split(' ').filter((one) => /^\w/.test(one)))
      assert.ok(text.includes(`${JSON.stringify(fact.match(/^\w+/)![0])}:`), `${name}: ${fact}`)
  }
})

test('fields of the API that no internal type shows are those that are converted to others', () => {
  const unseen = Object.entries(INTERNAL_TYPES).flatMap(([name, facts]) => {
    const shown = new Set(facts.split(' ').map((fact) => fieldOf(fact)))
    return [...schemaOf(name).fields.keys()]
      .filter((field) => !shown.has(field) && !['apiVersion', 'kind', 'metadata'].includes(field))
      .map((field) => `${name.split('.').at(-1)!}.${field}`)
  })
  assert.deepEqual(unseen, [
    'HorizontalPodAutoscalerSpec.targetCPUUtilizationPercentage',
    'HorizontalPodAutoscalerStatus.currentCPUUtilizationPercentage',
    'NodeSpec.podCIDR',
    'Secret.stringData',
    'CustomResourceConversion.webhook',
  ])
})

function fieldOf(fact: string): string {
  const [name = '', field] = fact.replace(/[!=].*$/, '').split(':')
  return field ?? `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`
}
