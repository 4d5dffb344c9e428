/** What happens next to a pod, case by case. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/v1.gen.ts'
import { aContainer, aPod, aSandbox, aState, aStatus } from '../testing/builders.ts'
import type { ProbeResults } from './container-trouble.ts'
import { planPod } from './plan-pod.ts'
import type { PodState } from './pod-state.ts'

/** A plan in one line: `kill`, `sandbox 1`, `-stopped`, `+started`. */
function planText(pod: Pod, state: PodState, probes: Partial<ProbeResults> = {}): string {
  const plan = planPod(pod, state, { startup: () => undefined, liveness: () => undefined, ...probes })
  return [
    ...(plan.killPod ? ['kill'] : []),
    ...(plan.createSandbox ? [`sandbox ${plan.createSandbox.attempt}`] : []),
    ...plan.stop.map(({ target, reason }) => `-${target.container.name}(${reason})`),
    ...plan.start.map(({ container }) => `+${container.name}`),
  ].join(' ')
}

const sidecar = aContainer('side', { restartPolicy: 'Always' })
const startingSidecar = aContainer('side', { restartPolicy: 'Always', startupProbe: { exec: { command: ['true'] } } })
const two = { containers: [aContainer('a'), aContainer('b')] }
const init = { initContainers: [aContainer('i1'), aContainer('i2')] }
const deadSandbox = aSandbox({ ready: false, ips: [] })

const CASES: readonly [string, Pod, PodState, string, Partial<ProbeResults>?][] = [
  ['a new pod gets its sandbox and all containers', aPod(two), aState([], []), 'sandbox 0 +a +b'],
  ['a new pod with init containers starts the first', aPod(init), aState([], []), 'sandbox 0 +i1'],
  ['nothing to do for a running pod', aPod(), aState([aStatus('main', 'running')]), ''],
  ['a crashed container starts again', aPod(), aState([aStatus('main', 1)]), '+main'],
  ['Always restarts a success, too', aPod(), aState([aStatus('main', 0)]), '+main'],
  ['OnFailure ends with a success', aPod({ restartPolicy: 'OnFailure' }), aState([aStatus('main', 0)]), 'kill'],
  ['OnFailure restarts a failure', aPod({ restartPolicy: 'OnFailure' }), aState([aStatus('main', 1)]), '+main'],
  ['Never ends with a failure', aPod({ restartPolicy: 'Never' }), aState([aStatus('main', 1)]), 'kill'],
  [
    'one of two still runs',
    aPod({ ...two, restartPolicy: 'Never' }),
    aState([aStatus('a', 1), aStatus('b', 'running')]),
    '',
  ],
  ['the next init container follows a success', aPod(init), aState([aStatus('i1', 0)]), '+i2'],
  ['a running init container holds up the rest', aPod(init), aState([aStatus('i1', 'running')]), ''],
  [
    'after all init containers the regular ones start',
    aPod(init),
    aState([aStatus('i1', 0), aStatus('i2', 0)]),
    '+main',
  ],
  ['a failed init container runs again', aPod(init), aState([aStatus('i1', 1)]), '+i1'],
  [
    'a failed init container ends a pod with Never',
    aPod({ ...init, restartPolicy: 'Never' }),
    aState([aStatus('i1', 1)]),
    'kill',
  ],
  ['init containers are history once a regular one was created', aPod(init), aState([aStatus('main', 'running')]), ''],
  [
    'a sidecar that runs lets the next start',
    aPod({ initContainers: [sidecar] }),
    aState([aStatus('side', 'running')]),
    '+main',
  ],
  [
    'a sidecar holds up the rest until its startup probe succeeds',
    aPod({ initContainers: [startingSidecar] }),
    aState([aStatus('side', 'running')]),
    '',
  ],
  [
    'a sidecar that has started up lets the rest start',
    aPod({ initContainers: [startingSidecar] }),
    aState([aStatus('side', 'running')]),
    '+main',
    { startup: () => 'success' },
  ],
  [
    'a crashed sidecar restarts beside running containers',
    aPod({ initContainers: [sidecar] }),
    aState([aStatus('side', 1), aStatus('main', 'running')]),
    '+side',
  ],
  [
    'sidecars do not keep a finished pod alive',
    aPod({ initContainers: [sidecar], restartPolicy: 'Never' }),
    aState([aStatus('side', 'running'), aStatus('main', 0)]),
    'kill',
  ],
  [
    'a failed liveness probe replaces the container',
    aPod(),
    aState([aStatus('main', 'running')]),
    '-main(LivenessProbe) +main',
    { liveness: () => 'failure' },
  ],
  [
    'a failed liveness probe only stops a container with Never',
    aPod({ restartPolicy: 'Never' }),
    aState([aStatus('main', 'running')]),
    'kill',
    { liveness: () => 'failure' },
  ],
  [
    'a failed startup probe replaces the container',
    aPod(),
    aState([aStatus('main', 'running')]),
    '-main(StartupProbe) +main',
    { startup: () => 'failure' },
  ],
  [
    'a new image replaces the container',
    aPod({ containers: [aContainer('main', { image: 'busybox:2' })] }),
    aState([aStatus('main', 'running')]),
    '-main(Changed) +main',
  ],
  ['a dead sandbox is replaced', aPod(), aState([aStatus('main', 137)], [deadSandbox]), 'kill sandbox 1 +main'],
  [
    'a dead sandbox runs init containers again',
    aPod(init),
    aState([aStatus('i1', 0), aStatus('i2', 0), aStatus('main', 137)], [deadSandbox]),
    'kill sandbox 1 +i1',
  ],
  [
    'a dead sandbox of a pod with Never is not replaced',
    aPod({ restartPolicy: 'Never' }),
    aState([aStatus('main', 137)], [aSandbox({ ready: false, ips: [] })]),
    'kill',
  ],
  [
    'a pod that succeeded needs no new sandbox',
    aPod({ restartPolicy: 'OnFailure' }),
    aState([aStatus('main', 0)], [deadSandbox]),
    'kill',
  ],
  ['a sandbox without an address is replaced', aPod(), aState([], [aSandbox({ ips: [] })]), 'kill sandbox 1 +main'],
  [
    'a pod on the node network needs no address',
    aPod({ hostNetwork: true }),
    aState([], [aSandbox({ ips: [], hostNetwork: true })]),
    '+main',
  ],
  [
    'an ephemeral container starts once',
    aPod({ ephemeralContainers: [aContainer('debug')] }),
    aState([aStatus('main', 'running')]),
    '+debug',
  ],
  [
    'an ephemeral container that ended stays so',
    aPod({ ephemeralContainers: [aContainer('debug')] }),
    aState([aStatus('main', 'running'), aStatus('debug', 1)]),
    '',
  ],
  [
    'a restart rule overrules Never',
    aPod({
      restartPolicy: 'Never',
      containers: [
        aContainer('main', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    }),
    aState([aStatus('main', 42)]),
    '+main',
  ],
  [
    'a container lost by the runtime is stopped and started',
    aPod(),
    aState([aStatus('main', 'unknown')]),
    '-main(Unknown) +main',
  ],
  [
    'a container that was created but never started is made anew',
    aPod(),
    aState([aStatus('main', 'created')]),
    '+main',
  ],
]

for (const [name, pod, state, expected, probes] of CASES)
  test(`plan: ${name}`, () => {
    assert.equal(planText(pod, state, probes), expected)
  })
