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
  assert.equal(parseControllerManagerFlags(['--leader-elect']).leaderElect, true)
  assert.equal(parseControllerManagerFlags(['--leader-elect=false']).leaderElect, false)
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

test('one authority for all signers, or one for each', () => {
  const files = (...args: string[]): object => parseControllerManagerFlags(args).signingFiles
  const [shared, own] = ['--cluster-signing', '--cluster-signing-kubelet-serving']
  assert.deepEqual(files(), {})
  const all = files(`${shared}-cert-file=c`, `${shared}-key-file=k`)
  assert.equal(Object.keys(all).length, 4)
  assert.deepEqual(Object.values(all)[0], { flag: 'cluster-signing', certFile: 'c', keyFile: 'k' })
  assert.deepEqual(files(`${own}-cert-file=c`, `${own}-key-file=k`), {
    'kubernetes.io/kubelet-serving': { flag: 'cluster-signing-kubelet-serving', certFile: 'c', keyFile: 'k' },
  })
  assert.throws(() => files(`${shared}-cert-file=c`), /go together/)
  const both = [shared, own].flatMap((flag) => [`${flag}-cert-file=c`, `${flag}-key-file=k`])
  assert.throws(() => files(...both), /cannot specify default and per controller certs at the same time/)
  assert.equal(parseControllerManagerFlags(['--cluster-signing-duration=1h']).signingDurationMs, 3_600_000)
})

test('what is no value is refused', () => {
  const refused = (...args: string[]): void => assert.throws(() => parseControllerManagerFlags(args), /--node/)
  refused('--node-monitor-period=5')
  refused('--node-monitor-period=0s')
  refused('--node-eviction-rate=often')
  refused('--node-eviction-rate=-1')
})
