/** Recorded patches of a real API server, replayed on the recorded objects: the results, the owners, the conflicts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCorpus, readScenarios, targetOf, type Step } from '../corpus/scenarios.ts'
import { replayPatch, withoutServersFields, type Json } from './replay-patch.ts'

const skip = hasCorpus ? false : 'the recordings of a real API server are missing: ../shared/kubernetes/corpus'

for (const scenario of hasCorpus ? readScenarios('d') : []) {
  const stored = new Map<string, Json>()
  for (const [position, step] of scenario.steps.entries()) {
    const target = step.p === undefined ? null : targetOf(step.p)
    if (target === null || step.r === undefined) continue
    const key = `${target.id}/${target.name}`
    const live = stored.get(key) ?? null
    if (step.m === 'PATCH') check(`${scenario.name} [${position}]`, step, live)
    const { code, b } = step.r
    if (code < 300 && b?.['kind'] !== 'Status' && target.subresource !== 'scale') {
      const name = (b?.['metadata'] as Json | undefined)?.['name'] as string
      stored.set(`${target.id}/${name}`, b as Json)
    }
  }
}

function check(name: string, step: Step, live: Json | null): void {
  const target = targetOf(step.p!)!
  // Scale speaks of another object; options and missing objects are the server's business.
  if (target.subresource === 'scale' || step.r!.code === 404 || step.p!.includes('dryRun')) return
  // Addresses and ports come from allocators; the recording has placeholders that are no numbers.
  if (/<(ip|nodeport):/.test(JSON.stringify([live, step.r]))) return
  const expected = step.r!
  test(name, { skip }, () => {
    const outcome = replayPatch({ step, target, live })
    if (outcome === null) return
    if (expected.code < 300) {
      assert.equal(outcome.code, 200, outcome.message)
      assert.deepEqual(outcome.object, withoutServersFields(expected.b!))
    } else if (expected.code === 422 && expected.b?.['details'] !== undefined && hasCauses(expected.b)) {
      // Refused by validation, which is not replayed here.
    } else if (outcome.code !== 200) {
      assert.equal(outcome.code, expected.code, outcome.message)
      assert.equal(outcome.message, expected.b?.['message'])
    } else assert.ok(isServersAnswer(expected.b?.['message'] as string), `${expected.code} ${expected.b?.['message']}`)
  })
}

function hasCauses(body: Json): boolean {
  return (body['details'] as Json)['causes'] !== undefined
}

/** Names, versions and preconditions are checked by the registry. */
function isServersAnswer(message: string): boolean {
  return /^the name of the object|object has been modified|PatchOptions|strict decoding|uid mismatch|Precondition/.test(
    message,
  )
}
