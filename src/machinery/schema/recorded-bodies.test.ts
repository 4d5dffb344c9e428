/** Decoding and encoding against thousands of recorded bodies and answers. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { DecodeError, decodeJson, decodeValue } from './decode.ts'
import { normalize } from './encode.ts'
import { allTypeNames, schemaOf, typeDataOf } from './registry.ts'
import { registerAllSchemas } from './testing.ts'

const CORPUS = new URL('../../../../shared/kubernetes/corpus/open/', import.meta.url)
const skip = existsSync(CORPUS) ? false : 'needs the recorded answers in ../shared'

type Body = Record<string, unknown>
type Step = { m?: string; b?: Body; raw?: string; r?: { code: number; b?: Body } }

function stepsOf(area: string): { name: string; step: Step }[] {
  const lines = gunzipSync(readFileSync(new URL(`${area}.jsonl.gz`, CORPUS)))
    .toString()
    .trim()
    .split('\n')
  return lines.flatMap((line) => {
    const { name, steps } = JSON.parse(line) as { name: string; steps: Step[] }
    return steps.map((step) => ({ name, step }))
  })
}

/** `apps/v1/Deployment` -> type. */
function indexKinds(): Map<string, string> {
  registerAllSchemas()
  const names = allTypeNames().flatMap((name) => {
    const { kinds } = typeDataOf(name).data
    return kinds?.length === 1 ? [[kinds[0]!, name] as const] : []
  })
  return new Map(names)
}

function typeOf(body: Body | undefined, kinds: Map<string, string>): string | undefined {
  const apiVersion = String(body?.['apiVersion'])
  return kinds.get(`${apiVersion.includes('/') ? '' : '/'}${apiVersion}/${String(body?.['kind'])}`)
}

/** What the recording put in the place of values that differ from run to run. */
function withTimes(body: Body): Body {
  const text = JSON.stringify(body)
    .replaceAll('<time>', '2024-01-01T00:00:00Z')
    .replaceAll('<microtime>', '2024-01-01T00:00:00.000000Z')
    .replaceAll(/"<nodeport:\d+>"/g, '30000')
  return JSON.parse(text) as Body
}

test('bodies of a wrong type get the recorded refusal', { skip }, () => {
  const kinds = indexKinds()
  let compared = 0
  for (const { name, step } of stepsOf('b')) {
    const message = step.r?.b?.['kind'] === 'Status' ? String(step.r.b['message']) : ''
    const wanted =
      / cannot be handled as a \w+: (json: cannot unmarshal .*|quantities must .*|illegal base64 .*)$/.exec(
        message,
      )?.[1]
    const type = typeOf(step.b, kinds)
    if (wanted === undefined || type === undefined || step.m === 'PATCH') continue
    compared++
    assert.throws(() => decodeJson(schemaOf(type), JSON.stringify(step.b)), { message: wanted }, name)
  }
  assert.ok(compared > 1000, `compared only ${compared}`)
})

test('objects that a real API server answered are canonical already', { skip }, () => {
  const kinds = indexKinds()
  let compared = 0
  for (const area of ['a', 'b', 'f'])
    for (const { name, step } of stepsOf(area)) {
      const type = typeOf(step.r?.b, kinds)
      if (type === undefined || type.endsWith('.Status') || type.endsWith('List')) continue
      const answer = withTimes(step.r!.b!)
      const { object, problems } = decodeValue(schemaOf(type), answer, { fieldValidation: 'Strict' })
      assert.deepEqual(problems, [], name)
      assert.deepEqual(normalize(schemaOf(type), object), answer, name)
      compared++
    }
  assert.ok(compared > 1000, `compared only ${compared}`)
})

test('bodies that a real API server accepted are accepted', { skip }, () => {
  const kinds = indexKinds()
  for (const { name, step } of stepsOf('a')) {
    const type = typeOf(step.b, kinds)
    if (type === undefined || step.m !== 'POST' || step.r?.code !== 201) continue
    try {
      decodeJson(schemaOf(type), JSON.stringify(step.b), { fieldValidation: 'Strict' })
    } catch (error) {
      assert.fail(`${name}: ${error instanceof DecodeError ? error.message : String(error)}`)
    }
  }
})
