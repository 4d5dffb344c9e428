/** What kube-controller-manager's flags become. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { NODE_LIFECYCLE_DEFAULTS } from '#control-plane/controllers/node-lifecycle/options.ts'
import { parseControllerManagerFlags } from './controller-manager-flags.ts'

test('without flags all is as upstream', () => {
  const flags = parseControllerManagerFlags([])
  assert.deepEqual(flags.nodeLifecycle, NODE_LIFECYCLE_DEFAULTS)
  assert.deepEqual(flags.controllers, ['*'])
  assert.equal(flags.leaderElect, true)
})

test('the flags of the node lifecycle', () => {
  const { nodeLifecycle } = parseControllerManagerFlags([
    '--node-monitor-period=1s',
    '--node-monitor-grace-period=1m30s',
    '--node-startup-grace-period=2m',
    '--node-eviction-rate=0.5',
    '--secondary-node-eviction-rate=0',
    '--large-cluster-size-threshold=10',
    '--unhealthy-zone-threshold=0.75',
  ])
  assert.deepEqual(nodeLifecycle, {
    nodeMonitorPeriodMs: 1000,
    nodeMonitorGracePeriodMs: 90_000,
    nodeStartupGracePeriodMs: 120_000,
    nodeEvictionRate: 0.5,
    secondaryNodeEvictionRate: 0,
    largeClusterSizeThreshold: 10,
    unhealthyZoneThreshold: 0.75,
  })
})

test('what is no value is refused', () => {
  const refused = (...args: string[]): void => assert.throws(() => parseControllerManagerFlags(args), /--node/)
  refused('--node-monitor-period=5')
  refused('--node-monitor-period=0s')
  refused('--node-eviction-rate=often')
  refused('--node-eviction-rate=-1')
  assert.throws(() => parseControllerManagerFlags(['--nobody']), /Unknown option/)
})
