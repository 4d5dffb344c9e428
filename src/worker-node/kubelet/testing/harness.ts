/** A whole kubelet on a virtual clock, with a runtime, an API server and mounts in memory; only files are real, in a scratch folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import { NO_CGROUPS } from '../cgroups/no-cgroups.ts'
import { createKubelet } from '../kubelet.ts'
import type { Kubelet, KubeletOptions } from '../kubelet-options.ts'
import { FakeRuntime, type FakeRuntimeOptions } from '../runtime/fake-runtime.ts'
import type { Mounter } from '../volumes/mounter.ts'
import { countFileWork, isFileWorkUnderWay } from './file-work.ts'
import { FakeApi } from './fake-api.ts'

export type Harness = {
  readonly api: FakeApi
  readonly clock: VirtualClock
  readonly runtime: FakeRuntime
  readonly rootDir: string
  /** `reason: message` of each event, in order. */
  readonly events: string[]
  kubelet: Kubelet
  /** A kubelet process that ends and comes back: the runtime goes on meanwhile. */
  restart(): Promise<void>
  pod(name?: string): Pod | undefined
  /** Lets virtual time pass until the condition holds; fails the test when it never does. */
  until(what: string, condition: () => boolean, limitMs?: number): Promise<void>
  stop(): Promise<void>
}

export async function startHarness(
  runtimeOptions: Omit<FakeRuntimeOptions, 'clock'> = {},
  options: Partial<KubeletOptions> = {},
): Promise<Harness> {
  countFileWork()
  const clock = new VirtualClock()
  const api = new FakeApi()
  const runtime = new FakeRuntime({ clock, ...runtimeOptions })
  const rootDir = await mkdtemp(join(tmpdir(), 'kubelet-test-'))
  const events: string[] = []
  const make = (): Kubelet =>
    createKubelet({
      client: api,
      nodeName: 'n1',
      runtime,
      rootDir,
      podLogsDir: join(rootDir, 'logs'),
      clock,
      random: new SeededRandom(1),
      log: NO_LOG,
      events: { event: (_about, _type, reason, message) => void events.push(`${reason}: ${message}`) },
      addresses: [{ type: 'InternalIP', address: '192.168.0.2' }],
      clusterDns: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      resolvConf: '',
      cgroups: NO_CGROUPS,
      mounter: NO_MOUNTS,
      ...options,
    })
  const harness: Harness = {
    api,
    clock,
    runtime,
    rootDir,
    events,
    kubelet: make(),
    async restart() {
      await harness.kubelet.stop()
      harness.kubelet = make()
      await startIn(harness)
    },
    pod: (name = 'web') => api.peek(PODS, 'default', name),
    until: (what, condition, limitMs = 600_000) => until(clock, { what, condition, limitMs }),
    async stop() {
      await harness.kubelet.stop()
      await rm(rootDir, { recursive: true, force: true })
    },
  }
  await startIn(harness)
  return harness
}

async function startIn(harness: Harness): Promise<void> {
  let isUp = false
  const starting = harness.kubelet.start().then(() => {
    isUp = true
  })
  await harness.until('the kubelet is up', () => isUp)
  await starting
}

const STEP_MS = 100

async function until(
  clock: VirtualClock,
  { what, condition, limitMs }: { readonly what: string; readonly condition: () => boolean; readonly limitMs: number },
): Promise<void> {
  for (let passedMs = 0; passedMs <= limitMs; passedMs += STEP_MS) {
    await settleFiles()
    if (condition()) return
    await clock.advance(STEP_MS)
  }
  throw new Error(`never happened within ${limitMs / 1000} s: ${what}`)
}

/** Between two steps on files, nothing of them is under way for a turn or two of the event loop. */
const QUIET_TURNS = 4
/** Other tests of the process have files, too, and may always be at it. */
const TURNS_MAX = 1_000_000

/** Work on real files takes real moments, long ones on a busy disk: virtual time stands still until none is under way. */
async function settleFiles(): Promise<void> {
  for (let turn = 0, quiet = 0; quiet < QUIET_TURNS && turn < TURNS_MAX; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    quiet = isFileWorkUnderWay() ? 0 : quiet + 1
  }
}

const NO_MOUNTS: Mounter = {
  mountTmpfs: () => Promise.resolve(),
  bindMount: () => Promise.resolve(),
  unmount: () => Promise.resolve(),
  mountsBelow: () => Promise.resolve([]),
}
