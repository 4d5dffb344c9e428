/** Runs a scheduler on a virtual clock over a cluster in memory, for tests. */
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { MemoryCluster } from './memory-cluster.ts'
import { Scheduler } from '../scheduler.ts'

export type Setup = {
  cluster: MemoryCluster
  clock: VirtualClock
  events: string[]
  settle: (ms?: number) => Promise<void>
}

export async function withScheduler(cluster: MemoryCluster, run: (setup: Setup) => Promise<void>): Promise<void> {
  const clock = new VirtualClock(0)
  const abort = new AbortController()
  const events: string[] = []
  const scheduler = new Scheduler({
    client: cluster.client,
    informers: cluster,
    clock,
    random: new SeededRandom(1),
    log: NO_LOG,
    events: { event: (about, _type, reason, message) => events.push(`${about.name} ${reason}: ${message}`) },
  })
  const running = scheduler.run(abort.signal)
  await run({ cluster, clock, events, settle: (ms = 1) => clock.advance(ms) })
  abort.abort()
  await running
}
