/** Writes of pods: defaults, what each subresource may touch, what is refused. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { Pod } from '#api/core/v1.gen.ts'
import '#api/schemas.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { podKind } from './kind.ts'

const container = { name: 'c', image: 'busybox' }

function body(spec: object = {}, more: object = {}): object {
  const metadata = { name: 'p', namespace: 'd' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container], ...spec }, ...more }
}

/** A pod as it is stored. */
function stored(spec: object = {}, more: object = {}): Pod {
  return createWith<Pod>(podKind, body(spec, more)).object
}

test('defaults of a minimal pod', () => {
  const { object, errors, warnings } = createWith<Pod>(podKind, body())
  assert.deepEqual([errors, warnings], [[], []])
  assert.equal(object.spec.restartPolicy, 'Always')
  assert.equal(object.spec.containers[0]!.imagePullPolicy, 'Always')
  assert.equal(object.spec.enableServiceLinks, true)
  assert.deepEqual(object.status, { phase: 'Pending', qosClass: 'BestEffort' })
})

test('limits become requests, host ports follow the host network', () => {
  const resources = { limits: { cpu: '1' } }
  const { object } = createWith<Pod>(
    podKind,
    body({ hostNetwork: true, containers: [{ ...container, resources, ports: [{ containerPort: 80 }] }] }),
  )
  assert.deepEqual(object.spec.containers[0]!.resources?.requests, { cpu: '1' })
  assert.equal(object.spec.containers[0]!.ports?.[0]?.hostPort, 80)
  assert.equal(object.status?.qosClass, 'Burstable')
})

test('errors name the field and the value', () => {
  const broken = { name: 'Bad_', image: '', ports: [{ containerPort: 70_000 }], resources: { requests: { cpu: '-1' } } }
  const { errors } = createWith<Pod>(podKind, body({ containers: [broken], restartPolicy: 'Sometimes' }))
  const fields = errors.map((line) => line.slice(0, line.indexOf(':')))
  assert.deepEqual(fields, [
    'spec.containers[0].name',
    'spec.containers[0].image',
    'spec.containers[0].ports[0].containerPort',
    'spec.containers[0].resources.requests[cpu]',
    'spec.restartPolicy',
  ])
})

test('a status that comes with a new pod is dropped', () => {
  const { object } = createWith<Pod>(podKind, body({}, { status: { phase: 'Running', podIP: '10.0.0.1' } }))
  assert.deepEqual(object.status, { phase: 'Pending', qosClass: 'BestEffort' })
})

test('images may change, commands may not', () => {
  const old = stored()
  const image = updateWith<Pod>(podKind, body({ containers: [{ ...container, image: 'busybox:2' }] }), { old })
  // The default pull policy of the new tag is another one: that is a change as well.
  assert.match(image.errors.join(), /pod updates may not change fields other than/)
  const kept = { ...old.spec.containers[0]!, image: 'busybox:2' }
  assert.deepEqual(updateWith<Pod>(podKind, body({ ...old.spec, containers: [kept] }), { old }).errors, [])
  const command = updateWith<Pod>(podKind, body({ containers: [{ ...container, command: ['sh'] }] }), { old })
  assert.match(command.errors.join(), /^spec: Forbidden: pod updates may not change fields other than/)
})

test('containers are neither added nor removed', () => {
  const two = body({ containers: [container, { ...container, name: 'd' }] })
  const { errors } = updateWith<Pod>(podKind, two, { old: stored() })
  assert.deepEqual(errors, ['spec.containers: Forbidden: pod updates may not add or remove containers'])
})

test('a deadline only shrinks', () => {
  const old = stored({ activeDeadlineSeconds: 10 })
  assert.deepEqual(updateWith<Pod>(podKind, body({ activeDeadlineSeconds: 5 }), { old }).errors, [])
  assert.deepEqual(updateWith<Pod>(podKind, body({ activeDeadlineSeconds: 20 }), { old }).errors, [
    'spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value',
  ])
})

test('scheduling gates are only removed; gated pods may be told to fit fewer nodes', () => {
  const old = stored({ schedulingGates: [{ name: 'a' }], nodeSelector: { zone: 'z' } })
  const narrower = body({ schedulingGates: [{ name: 'a' }], nodeSelector: { zone: 'z', disk: 'ssd' } })
  assert.deepEqual(updateWith<Pod>(podKind, narrower, { old }).errors, [])
  const other = updateWith<Pod>(podKind, body({ schedulingGates: [{ name: 'b' }], nodeSelector: { zone: 'z' } }), {
    old,
  })
  assert.deepEqual(other.errors, [
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
  ])
})

test('tolerations are only added', () => {
  const old = stored({ tolerations: [{ key: 'a', operator: 'Exists' }] })
  const more = body({
    tolerations: [
      { key: 'a', operator: 'Exists' },
      { key: 'b', operator: 'Exists' },
    ],
  })
  assert.deepEqual(updateWith<Pod>(podKind, more, { old }).errors, [])
  const { errors } = updateWith<Pod>(podKind, body({ tolerations: [] }), { old })
  assert.match(errors.join(), /^spec\.tolerations: Forbidden: existing toleration can not be modified/)
})

test('a main write leaves the status, a status write leaves the spec', () => {
  const old = stored()
  const changed = body({ activeDeadlineSeconds: 5 }, { status: { phase: 'Running' } })
  const main = updateWith<Pod>(podKind, changed, { old })
  assert.equal(main.object.status?.phase, 'Pending')
  assert.equal(main.object.spec.activeDeadlineSeconds, 5)
  const status = updateWith<Pod>(podKind, changed, { old, subresource: 'status' })
  assert.equal(status.object.status?.phase, 'Running')
  assert.equal(status.object.status?.qosClass, 'BestEffort')
  assert.equal(status.object.spec.activeDeadlineSeconds, undefined)
})

test('a container that has ended for good stays so', () => {
  const spec = { restartPolicy: 'Never' }
  const state = (terminated: object | undefined): object => ({
    status: {
      containerStatuses: [
        { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state: terminated ? { terminated } : {} },
      ],
    },
  })
  const old = { ...stored(spec), ...state({ exitCode: 1 }) }
  const { errors } = updateWith<Pod>(podKind, body(spec, state(undefined)), { old, subresource: 'status' })
  assert.deepEqual(errors, [
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  ])
})

test('states of volumes are dropped: their feature is off', () => {
  const volumeMounts = [{ name: 'v', mountPath: '/v', volumeStatus: { image: { imageRef: 'r' } } }]
  const container = { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, volumeMounts }
  const written = body({}, { status: { containerStatuses: [container] } })
  const { object } = updateWith<Pod>(podKind, written, { old: stored(), subresource: 'status' })
  assert.deepEqual(object.status?.containerStatuses?.[0]?.volumeMounts, [{ name: 'v', mountPath: '/v' }])
})

test('resources change through resize only', () => {
  const resources = (cpu: string): object => ({ containers: [{ ...container, resources: { requests: { cpu } } }] })
  const old = stored(resources('1'))
  assert.match(updateWith<Pod>(podKind, body(resources('2')), { old }).errors.join(), /^spec: Forbidden/)
  const resized = updateWith<Pod>(podKind, body(resources('2')), { old, subresource: 'resize' })
  assert.deepEqual(resized.errors, [])
  assert.deepEqual(resized.object.spec.containers[0]!.resources?.requests, { cpu: '2' })
  assert.equal(resized.object.metadata.generation, 2)
  const lost = updateWith<Pod>(podKind, body(), { old, subresource: 'resize' })
  assert.notDeepEqual(lost.errors, [])
})

test('ephemeral containers are added through their own subresource', () => {
  const added = { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] }
  const old = stored()
  const { errors, object } = updateWith<Pod>(podKind, body(added), { old, subresource: 'ephemeralcontainers' })
  assert.deepEqual(errors, [])
  assert.equal(object.spec.ephemeralContainers?.length, 1)
  const removed = updateWith<Pod>(podKind, body(), { old: object, subresource: 'ephemeralcontainers' })
  assert.match(removed.errors.join(), /existing ephemeral containers "debug" may not be removed/)
})

test('warnings of suspicious use', () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ]
  const { warnings } = createWith<Pod>(podKind, body({ containers: [{ ...container, env }] }))
  assert.deepEqual(warnings, [
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ])
})
