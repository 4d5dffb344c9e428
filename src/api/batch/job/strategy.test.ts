/** Writes of Jobs: defaults, the generated selector, what may change, what a status may say. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { Job } from '#api/batch/v1.gen.ts'
import '#api/schemas.ts'
import { createWith, NOW, updateWith } from '#api/testing.ts'
import { jobKind } from './kind.ts'

const template = { spec: { containers: [{ name: 'c', image: 'busybox' }], restartPolicy: 'Never' } }

function body(spec: object = {}, more: object = {}): object {
  return { metadata: { name: 'j', namespace: 'n' }, spec: { template, ...spec }, ...more }
}

function stored(spec: object = {}): Job {
  return createWith<Job>(jobKind, body(spec)).object
}

test('defaults of a minimal Job, and its own selector', () => {
  const { object, errors } = createWith<Job>(jobKind, body())
  assert.deepEqual(errors, [])
  const { template: _, ...rest } = object.spec
  assert.deepEqual(rest, {
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    completions: 1,
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid-1' } },
    suspend: false,
  })
  assert.deepEqual(object.spec.template.metadata?.labels, {
    'job-name': 'j',
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': 'uid-1',
    'batch.kubernetes.io/controller-uid': 'uid-1',
  })
})

test('pods of a Job do not restart always', () => {
  const always = { spec: { ...template.spec, restartPolicy: 'Always' } }
  const { errors } = createWith(jobKind, body({ template: always }))
  assert.match(
    errors.join(),
    /^spec\.template\.spec\.restartPolicy: Required value: valid values: "OnFailure", "Never"/,
  )
})

test('parallelism and suspension change, completions do not', () => {
  const change = (spec: object): string[] => {
    const old = stored()
    return [...updateWith(jobKind, { ...old, spec: { ...old.spec, ...spec } }, { old }).errors]
  }
  assert.deepEqual(change({ parallelism: 3, suspend: true }), [])
  assert.deepEqual(change({ completions: 2 }), ['spec.completions: Invalid value: 2: field is immutable'])
})

test('completions of an indexed Job change with its parallelism', () => {
  const old = stored({ completionMode: 'Indexed', completions: 2, parallelism: 2 })
  const errorsOf = (spec: object): readonly string[] =>
    updateWith(jobKind, { ...old, spec: { ...old.spec, ...spec } }, { old }).errors
  assert.deepEqual(errorsOf({ completions: 3, parallelism: 3 }), [])
  assert.equal(errorsOf({ completions: 3 }).length, 1)
})

test('an end is final and has a time', () => {
  const complete = { type: 'Complete', status: 'True', lastTransitionTime: NOW, lastProbeTime: NOW }
  const target = { ...complete, type: 'SuccessCriteriaMet' }
  const write = (status: object, old: object): readonly string[] =>
    updateWith(jobKind, { ...stored(), status }, { old, subresource: 'status' }).errors
  const times = { startTime: NOW, completionTime: NOW }
  const done = { ...times, conditions: [target, complete], succeeded: 1 }
  const criteriaMet = { ...stored(), status: { startTime: NOW, conditions: [target], uncountedTerminatedPods: {} } }
  assert.deepEqual(write(done, criteriaMet), [])
  assert.match(
    write({ ...done, completionTime: undefined }, criteriaMet).join(),
    /^status\.completionTime: Required value/,
  )
  assert.match(write(times, { ...stored(), status: done }).join(), /status\.conditions: Invalid value: /)
})
