/** What a look at all nodes does when some of its writes fail. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { notFound } from '#machinery/status-error.ts'
import { Heartbeats } from './heartbeats.ts'
import { HealthMonitor, type HealthMonitorOptions } from './health-monitor.ts'
import { NODE_LIFECYCLE_DEFAULTS } from './options.ts'
import type { ZoneHealth } from './zones.ts'

function nodeWith(status: string): Node {
  return {
    metadata: { name: 'n', uid: 'u', resourceVersion: '1' },
    spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }] },
    status: { conditions: [{ type: 'Ready', status }] },
  } as unknown as Node
}

const podOf = (name: string): Pod => ({ metadata: { name, namespace: 'default' }, spec: { nodeName: 'n' } }) as Pod

test('a write that fails holds up neither the others nor the count, and is made after the next look', async () => {
  const clock = new VirtualClock()
  const heartbeats = new Heartbeats(clock)
  let node = nodeWith('True')
  const [failing, written, seen] = [new Set(['a']), [] as string[], [] as ZoneHealth[]]
  const informer = ({ resource }: ResourceRef): object => ({
    list: () => (resource === NODES.resource ? [node] : []),
    get: () => undefined,
    addIndex: () => {},
    byIndex: () => (resource === PODS.resource ? [podOf('a'), podOf('b')] : []),
  })
  const parts = {
    controller: 'c',
    client: { get: () => Promise.reject(notFound({ group: '', resource: 'leases' }, 'n')) },
    clock,
    log: NO_LOG,
    events: { event: () => {} },
    informers: { informer },
    heartbeats,
    options: NODE_LIFECYCLE_DEFAULTS,
    writer: {
      markSilent: () => Promise.resolve((node = nodeWith('Unknown'))),
      changeTaints: () => Promise.reject(new Error('a webhook says no')),
      markPodNotReady: ({ metadata: { name } }: Pod) => {
        written.push(name)
        return failing.has(name) ? Promise.reject(new Error('not now')) : Promise.resolve()
      },
    },
    zones: {
      remove: () => {},
      add: () => {},
      follow: (health: ReadonlyMap<string, ZoneHealth>) => {
        seen.push(...health.values())
        return { mode: 'stay' }
      },
    },
  }
  const monitor = new HealthMonitor(parts as unknown as HealthMonitorOptions)
  const { signal } = new AbortController()
  heartbeats.hearNode(node)
  await clock.advance(60_000)
  const look = (): Promise<unknown> => Promise.all([monitor.check(signal), clock.advance(1)])
  await look()
  assert.deepEqual(written, ['a', 'b'])
  failing.clear()
  await look()
  await look()
  assert.deepEqual(written, ['a', 'b', 'a', 'b'], 'once more, and then no more')
  const down = { ready: 0, notReady: 1 }
  assert.deepEqual(seen, [down, down, down])
})
