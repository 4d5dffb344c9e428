/** Scheduling cycles: which node a pod gets, and upstream's words when it gets none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '#base/random.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { SchedulingCycle, feasibleNodesToFind, formatDiagnosis } from './cycle.ts'
import { Nominator } from './queue/nominator.ts'
import { buildCache, buildNode, buildPlugins, buildPod } from './testing/builders.ts'

function place(pod: Pod, nodes: readonly Node[], pods: readonly Pod[] = []): string {
  const cycle = new SchedulingCycle({
    plugins: buildPlugins(),
    random: new SeededRandom(1),
    percentageOfNodesToScore: 0,
    nominations: new Nominator(),
  })
  const result = cycle.run(new Map(), pod, buildCache(nodes, pods))
  return result.outcome === 'fits' ? result.node : formatDiagnosis(result.diagnosis, '')
}

const [small, large] = [buildNode('small', { allocatable: { cpu: '1', memory: '1Gi' } }), buildNode('large')]
const tainted = buildNode('tainted', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })

const labelled = (name: string, zone: string): Node =>
  buildNode(name, { labels: { zone, 'kubernetes.io/hostname': name } })
const web = (name: string, spec: Parameters<typeof buildPod>[1] = {}): Pod => {
  const pod = buildPod(name, spec)
  pod.metadata.labels = { app: 'web' }
  return pod
}
const webTerm = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'zone' }

const CASES: [what: string, pod: Pod, nodes: Node[], pods: Pod[], expected: string][] = [
  ['the node with more room left wins', buildPod('p', { requests: { cpu: '500m' } }), [small, large], [], 'large'],
  ['a pod that fits only one node goes there', buildPod('p', { requests: { cpu: '2' } }), [small, large], [], 'large'],
  [
    'every reason is counted, in alphabetical order',
    buildPod('p', { requests: { cpu: '8', memory: '2Gi' } }),
    [small, large, tainted],
    [],
    '0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), 2 Insufficient cpu.',
  ],
  [
    'a taint keeps pods off',
    buildPod('p'),
    [tainted],
    [],
    '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
  ],
  [
    'a toleration lets the pod in',
    buildPod('p', { tolerations: [{ key: 'gpu', operator: 'Exists' }] }),
    [tainted],
    [],
    'tainted',
  ],
  [
    'a cordoned node takes nothing',
    buildPod('p'),
    [buildNode('n', { unschedulable: true })],
    [],
    '0/1 nodes are available: 1 node(s) were unschedulable.',
  ],
  [
    'a node selector must match',
    buildPod('p', { nodeSelector: { disk: 'ssd' } }),
    [small, large],
    [],
    "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'a node selector that matches decides',
    buildPod('p', { nodeSelector: { disk: 'ssd' } }),
    [large, buildNode('s', { labels: { disk: 'ssd' } })],
    [],
    's',
  ],
  [
    'a taken host port keeps the second pod off',
    buildPod('p', { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
    [large],
    [buildPod('q', { nodeName: 'large', containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] })],
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  ],
  [
    'too many pods',
    buildPod('p'),
    [buildNode('full', { allocatable: { pods: '1' } })],
    [buildPod('q', { nodeName: 'full' })],
    '0/1 nodes are available: 1 Too many pods.',
  ],
  [
    'a preferred node affinity outweighs free room',
    buildPod('p', {
      requests: { cpu: '100m' },
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
          ],
        },
      },
    }),
    [large, buildNode('s', { labels: { disk: 'ssd' }, allocatable: { cpu: '2' } })],
    [],
    's',
  ],
  [
    'required anti-affinity keeps two of a kind apart',
    web('p', { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } } }),
    [labelled('a', 'z1'), labelled('b', 'z1'), labelled('c', 'z2')],
    [web('q', { nodeName: 'a' })],
    'c',
  ],
  [
    'a pod that is there keeps others away by its own anti-affinity',
    web('p'),
    [labelled('a', 'z1')],
    [
      web('q', {
        nodeName: 'a',
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } },
      }),
    ],
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  ],
  [
    'required affinity follows the others',
    buildPod('p', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } } }),
    [labelled('a', 'z1'), labelled('b', 'z2')],
    [web('q', { nodeName: 'b' })],
    'b',
  ],
  [
    'without anybody to follow there is no node',
    buildPod('p', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } } }),
    [labelled('a', 'z1')],
    [],
    "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
  ],
  [
    'the first of a group may start anywhere',
    web('p', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } } }),
    [labelled('a', 'z1')],
    [],
    'a',
  ],
  [
    'a spread constraint takes the emptier zone',
    web('p', {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    }),
    [labelled('a', 'z1'), labelled('b', 'z2')],
    [web('q', { nodeName: 'a' })],
    'b',
  ],
  [
    'an extended resource that no node has',
    buildPod('p', { requests: { 'example.com/gpu': '1' } }),
    [large],
    [],
    '0/1 nodes are available: 1 Insufficient example.com/gpu.',
  ],
]

for (const [what, pod, nodes, pods, expected] of CASES)
  test(what, () => assert.equal(place(pod, nodes, pods), expected))

test('equal nodes share the load', () => {
  const cycle = new SchedulingCycle({
    plugins: buildPlugins(),
    random: new SeededRandom(1),
    percentageOfNodesToScore: 0,
    nominations: new Nominator(),
  })
  const cache = buildCache(['a', 'b', 'c'].map((name) => buildNode(name)))
  const counts = new Map<string, number>()
  for (let round = 0; round < 300; round++) {
    const result = cycle.run(new Map(), buildPod(`p${round}`), cache)
    assert.equal(result.outcome, 'fits')
    if (result.outcome === 'fits') counts.set(result.node, (counts.get(result.node) ?? 0) + 1)
  }
  for (const count of counts.values()) assert.ok(count > 60, `uneven: ${[...counts]}`)
})

test('large clusters are sampled', () => {
  assert.equal(feasibleNodesToFind(50, 0), 50)
  assert.equal(feasibleNodesToFind(1000, 0), 420)
  assert.equal(feasibleNodesToFind(5000, 0), 500)
  assert.equal(feasibleNodesToFind(5000, 1), 100)
})

const WEB_AFFINITY = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } }

test('a pod may not lean on a pod that has only been promised the node', () => {
  const nominations = new Nominator()
  nominations.set(web('promised', { priority: 5 }), 'a')
  const options = { plugins: buildPlugins(), random: new SeededRandom(1), percentageOfNodesToScore: 0, nominations }
  const follower = buildPod('p', { affinity: WEB_AFFINITY })
  const result = new SchedulingCycle(options).run(new Map(), follower, buildCache([labelled('a', 'z1')]))
  assert.equal(result.outcome, 'no-fit')
})

test('promised pods count for anti-affinity and spreading', () => {
  const nominations = new Nominator()
  nominations.set(web('promised', { priority: 5 }), 'a')
  const options = { plugins: buildPlugins(), random: new SeededRandom(1), percentageOfNodesToScore: 0, nominations }
  const spread = {
    maxSkew: 1,
    topologyKey: 'zone',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: webTerm.labelSelector,
  }
  const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [webTerm] } }
  for (const spec of [{ affinity: apart }, { topologySpreadConstraints: [spread] }]) {
    // Alone, the larger node would win.
    const cramped = buildNode('b', { labels: { zone: 'z2' }, allocatable: { cpu: '1', memory: '1Gi' } })
    const cache = buildCache([labelled('a', 'z1'), cramped])
    const result = new SchedulingCycle(options).run(new Map(), web('p', { ...spec, requests: { cpu: '500m' } }), cache)
    assert.deepEqual([result.outcome, result.outcome === 'fits' && result.node], ['fits', 'b'])
  }
})

test('the node that was made free for a pod is tried first', () => {
  const options = {
    plugins: buildPlugins(),
    random: new SeededRandom(1),
    percentageOfNodesToScore: 0,
    nominations: new Nominator(),
  }
  const pod: Pod = { ...buildPod('p', { requests: { cpu: '500m' } }), status: { nominatedNodeName: 'small' } }
  const result = new SchedulingCycle(options).run(new Map(), pod, buildCache([small, large]))
  assert.equal(result.outcome === 'fits' && result.node, 'small')
})
