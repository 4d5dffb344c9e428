/**
 * From `up` to the API answering, to all nodes Ready, and to the first pod Running and resolving a name, with the memory of each process;
 * next to the floor: a bare containerd start and one bare container. `node bench/start.ts [ROUNDS]`, as root.
 */
import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { loadState } from '#cluster/cluster-state.ts'
import { readStatus } from '#cluster/status.ts'
import { TestCluster, eventually, kubets } from '../test/end-to-end/cluster.ts'

const NAME = 'bench'
const rounds = Number(process.argv[2] ?? 3)
const clock = new SystemClock({ keepsProcessAlive: true })
/** Upstream v1.37.2 with one control plane and three nodes on a machine of this size, for orientation only. */
const UPSTREAM_SECONDS = { api: 2.9, nodes: 5.5, pod: 12, name: 12.8 }
const [UPSTREAM_MIB, UPSTREAM_CPU_PERCENT] = [914, 6.7]
/** What a start leaves to do is done by then. */
const SETTLE_MS = 10_000
const IDLE_MS = 60_000

type Round = { api: number; nodes: number; pod: number; name: number; podAlone: number } & Awaited<
  ReturnType<typeof bareContainer>
>

const POD = `apiVersion: v1
kind: Pod
metadata: {name: first}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: main, image: 'example.test/shell:1', command: [sleep, '3600']}
`

async function runRound(isLast: boolean): Promise<Round> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubets-bench-'))
  const { cluster, times } = await startFresh(dataDir)
  try {
    return { ...(await timePods(cluster, times, isLast)), ...(await bareContainer()) }
  } finally {
    await cluster.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function timePods(
  cluster: TestCluster,
  times: { api: number; nodes: number },
  isLast: boolean,
): Promise<Pick<Round, 'api' | 'nodes' | 'pod' | 'name' | 'podAlone'>> {
  const first = await timePod(cluster)
  const resolving = clock.monotonic()
  await eventually(
    async () => (await cluster.try('exec first -- nslookup kubernetes.default.svc.cluster.local')).code === 0,
    'the name resolves',
  )
  const name = (clock.monotonic() - resolving) / 1000
  await cluster.kubectl('delete pod first')
  const podAlone = await timePod(cluster)
  if (isLast) await printCosts()
  // The image is loaded between the two and is not counted: upstream's pulled its own from beside it as well.
  const pod = times.nodes + first
  return { ...times, pod, name: pod + name, podAlone }
}

/** The times are those that `up` itself printed. */
async function startFresh(dataDir: string): Promise<{ cluster: TestCluster; times: { api: number; nodes: number } }> {
  const up = await kubets('up', '--name', NAME, '--data-dir', dataDir)
  const match = /API after ([\d.]+) s, \d+ nodes ready after ([\d.]+) s/.exec(up.stdout)
  if (match === null) throw new Error(up.stdout + up.stderr)
  const cluster = await TestCluster.start(NAME)
  return { cluster, times: { api: Number(match[1]), nodes: Number(match[2]) } }
}

/** Seconds from the start of `kubectl apply` to the pod Running. */
async function timePod(cluster: TestCluster): Promise<number> {
  const started = clock.monotonic()
  await cluster.kubectl('apply -f -', POD)
  await cluster.kubectl('wait pod/first --for=jsonpath={.status.phase}=Running --timeout=60s')
  return (clock.monotonic() - started) / 1000
}

/** Memory of each process, and the CPU that the cluster takes when nothing happens in it. */
async function printCosts(): Promise<void> {
  const state = (await loadState(NAME))!
  await clock.sleep(SETTLE_MS)
  const cpuSeconds = async (): Promise<number> =>
    (await readStatus(state)).flatMap(({ processes }) => processes).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  const before = await cpuSeconds()
  await clock.sleep(IDLE_MS)
  const share = ((await cpuSeconds()) - before) / (IDLE_MS / 1000)
  let total = 0
  for (const { box, processes } of await readStatus(state))
    for (const { name, memoryBytes } of processes) {
      total += memoryBytes
      if (memoryBytes > 2 ** 20)
        console.log(`  ${box.padEnd(14)} ${name.padEnd(24)} ${(memoryBytes / 2 ** 20).toFixed(1)} MiB`)
    }
  console.log(
    `  all, with one pod                       ${(total / 2 ** 20).toFixed(0)} MiB (upstream ${UPSTREAM_MIB})`,
  )
  console.log(
    `  idle                                    ${(share * 100).toFixed(1)} % of a core (upstream ${UPSTREAM_CPU_PERCENT})`,
  )
}

/** Seconds until a containerd alone answers, and that a bare container takes from start to end: nothing made of them is faster. */
async function bareContainer(): Promise<{ floorContainerd: number; floorContainer: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'kubets-floor-'))
  const rootfs = join(folder, 'rootfs')
  mkdirSync(join(folder, 'state'))
  mkdirSync(join(rootfs, 'bin'), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  const socket = join(folder, 's')
  writeFileSync(
    join(folder, 'c.toml'),
    `version = 2\nroot = "${folder}/root"\nstate = "${folder}/state"\n[grpc]\naddress = "${socket}"\n`,
  )
  const started = clock.monotonic()
  // As in a node: crun takes no machine that mixes both versions of control groups.
  const alone = `mount --make-rprivate /; umount /sys/fs/cgroup/unified 2>/dev/null; exec containerd -c ${folder}/c.toml`
  const daemon = spawn('unshare', ['-m', 'sh', '-c', alone], { stdio: 'ignore' })
  const ctr = (...args: string[]): void => void execFileSync('ctr', ['-a', socket, ...args], { stdio: 'ignore' })
  try {
    await eventually(async () => {
      ctr('version')
      return true
    }, 'containerd answers')
    const answered = clock.monotonic()
    ctr('run', '--rm', '--runc-binary', 'crun', '--rootfs', rootfs, 'floor', '/bin/busybox', 'true')
    return {
      floorContainerd: (answered - started) / 1000,
      floorContainer: (clock.monotonic() - answered) / 1000,
    }
  } finally {
    daemon.kill()
    await new Promise((resolve) => daemon.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

const results: Round[] = []
for (let round = 0; round < rounds; round++) results.push(await runRound(round === rounds - 1))
const median = (pick: (round: Round) => number): number =>
  results.map(pick).toSorted((a, b) => a - b)[Math.floor(results.length / 2)]!
const line = (what: string, ours: number, upstream?: number): void =>
  console.log(
    `${what.padEnd(34)}${ours.toFixed(2).padStart(7)} s${upstream === undefined ? '' : `   ${(ours / upstream).toFixed(2)} of upstream (${upstream} s)`}`,
  )
line(
  'API answers',
  median((round) => round.api),
  UPSTREAM_SECONDS.api,
)
line(
  'all nodes Ready',
  median((round) => round.nodes),
  UPSTREAM_SECONDS.nodes,
)
line(
  'first pod Running',
  median((round) => round.pod),
  UPSTREAM_SECONDS.pod,
)
line(
  'name resolves in it',
  median((round) => round.name),
  UPSTREAM_SECONDS.name,
)
line(
  'pod with its image there: apply to Running',
  median((round) => round.podAlone),
)
line(
  'floor: a bare containerd answers',
  median((round) => round.floorContainerd),
)
line(
  'floor: a bare container, start to end',
  median((round) => round.floorContainer),
)
