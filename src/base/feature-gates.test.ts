/** Feature gates: defaults, stages at once, locks and dependencies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_FEATURE_GATES, FeatureGateError, resolveFeatureGates } from './feature-gates.ts'

const resolve = (values: Record<string, boolean>) => resolveFeatureGates(new Map(Object.entries(values)))
const refused = (message: string) => (error: unknown) => error instanceof FeatureGateError && error.message === message

test('without flags every gate has the default of the version', () => {
  assert.equal(DEFAULT_FEATURE_GATES.all().length, 254)
  assert.equal(DEFAULT_FEATURE_GATES.isEnabled('WatchList'), true)
  assert.equal(DEFAULT_FEATURE_GATES.isEnabled('ShardedListAndWatch'), false)
  // On by default only where all servers are of this version.
  assert.equal(DEFAULT_FEATURE_GATES.isEnabled('DRAFractionalCapacityRange'), false)
})

test('AllAlpha and AllBeta move a stage, but for gates with a value of their own', () => {
  const alpha = resolve({ AllAlpha: true, GenericWorkload: true, ShardedListAndWatch: false })
  assert.equal(alpha.isEnabled('AllAlpha'), true)
  assert.equal(alpha.isEnabled('ContainerStopSignals'), true)
  assert.equal(alpha.isEnabled('ShardedListAndWatch'), false)
  const beta = resolve({ AllBeta: false, WatchList: true })
  assert.equal(beta.isEnabled('PodsAPI'), false)
  assert.equal(beta.isEnabled('WatchList'), true)
  assert.equal(beta.isEnabled('NodeSwap'), true)
})

test('gates that cannot be set so are refused with the texts of Kubernetes', () => {
  assert.throws(() => resolve({ NoSuch: true }), refused('unrecognized feature gate: NoSuch'))
  assert.throws(
    () => resolve({ NodeSwap: false, JobManagedBy: false }),
    refused(
      '[cannot set feature gate NodeSwap to false, feature is locked to true, cannot set feature gate JobManagedBy to false, feature is locked to true]',
    ),
  )
  assert.throws(
    () => resolve({ WorkloadWithJob: true }),
    refused('WorkloadWithJob is enabled, but depends on features that are disabled: [GenericWorkload]'),
  )
})
