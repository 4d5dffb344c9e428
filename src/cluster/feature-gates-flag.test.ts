/** The flag --feature-gates: its syntax, its refusals, and what it says of gates without effect. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeatureGate } from '#base/feature-gates.ts'
import { featureGateWarnings, parseFeatureGates } from './feature-gates-flag.ts'

test('several flags, prefixes and blanks are taken as upstream takes them', () => {
  const gates = parseFeatureGates(['kube:WatchList=f, kube:PodsAPI = FALSE,', 'kube:ContainerStopSignals=1'])
  assert.equal(gates.isEnabled('WatchList'), false)
  assert.equal(gates.isEnabled('PodsAPI'), false)
  assert.equal(gates.isEnabled('ContainerStopSignals'), true)
})

const REFUSED: readonly [string, string][] = [
  ['PodsAPI', 'missing bool value for PodsAPI'],
  ['PodsAPI=maybe', 'invalid value of PodsAPI=maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ['NoSuch=true', 'unrecognized feature gate: NoSuch'],
  ['wardle:PodsAPI=true', 'component not registered: wardle'],
  [
    'kube:PodsAPI=true,WatchList=true',
    'set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use',
  ],
]
for (const [value, message] of REFUSED)
  test(`--feature-gates=${value} is refused`, () => {
    assert.throws(() => parseFeatureGates([value]), { message })
  })

test('a start tells of gates that go away and of those without effect', () => {
  const effective = new Set<FeatureGate>(['WatchList'])
  const gates = parseFeatureGates([
    'NodeSwap=true,KubeProxyIPVS=true,WatchList=false,PodsAPI=false,ContainerStopSignals=true',
  ])
  assert.deepEqual(featureGateWarnings(gates, effective), [
    'setting GA feature gate. It will be removed in a future release: NodeSwap=true',
    'setting deprecated feature gate. It will be removed in a future release: KubeProxyIPVS=true',
    'feature gates whose fields are kept, and not acted on by this cluster yet: ContainerStopSignals=true',
    'feature gates that change nothing in this cluster: PodsAPI=false',
  ])
})
