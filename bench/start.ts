/**
 * From `up` to the API answering, to all nodes Ready, and to the first pod Running and resolving a name, with the memory of each process;
 * next to the floor: a bare containerd start and one bare container. `node bench/start.ts [ROUNDS]`, as root.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

type Round = { api: number; nodes: number; pod: number; name: number; podAlone: number; floorContainerd: number }

const POD = `apiVersion: v1
kind: Pod
metadata: {name: first}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: main, image: 'example.test/shell:1', command: [sleep, '3600']}
`

async function runRound(): Promise<Round> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubets-bench-'))
  const started = clock.monotonic()
  const cluster = await TestCluster.start(NAME, '--data-dir', dataDir)
  const times = await lastUpTimes()
  await cluster.kubectl('apply -f -', POD)
  await eventually(async () => (await cluster.field('pod/first', '{.status.phase}')) === 'Running', 'the pod runs')
  const pod = clock.monotonic()
  await eventually(
    async () => (await cluster.try('exec first -- nslookup kubernetes.default.svc.cluster.local')).code === 0,
    'the name resolves',
  )
  const name = clock.monotonic()
  await cluster.kubectl('delete pod first')
  await cluster.kubectl('apply -f -', POD)
  const again = clock.monotonic()
  await eventually(
    async () => (await cluster.field('pod/first', '{.status.phase}')) === 'Running',
    'the pod runs again',
  )
  const podAlone = clock.monotonic() - again
  await printMemory()
  await cluster.stop()
  rmSync(dataDir, { recursive: true, force: true })
  return {
    ...times,
    pod: (pod - started) / 1000,
    name: (name - started) / 1000,
    podAlone: podAlone / 1000,
    floorContainerd: await bareContainerd(),
  }
}

/** The times that `up` itself printed. */
async function lastUpTimes(): Promise<{ api: number; nodes: number }> {
  const down = await kubets('down', '--name', NAME, '--keep-data')
  if (down.code !== 0) throw new Error(down.stderr)
  const up = await kubets('up', '--name', NAME)
  const match = /API after ([\d.]+) s, \d+ nodes ready after ([\d.]+) s/.exec(up.stdout)
  if (match === null) throw new Error(up.stdout + up.stderr)
  return { api: Number(match[1]), nodes: Number(match[2]) }
}

async function printMemory(): Promise<void> {
  const state = (await loadState(NAME))!
  let total = 0
  for (const { box, processes } of await readStatus(state))
    for (const { name, memoryBytes } of processes) {
      total += memoryBytes
      if (memoryBytes > 2 ** 20)
        console.log(`  ${box.padEnd(14)} ${name.padEnd(24)} ${(memoryBytes / 2 ** 20).toFixed(1)} MiB`)
    }
  console.log(`  all ${(total / 2 ** 20).toFixed(0)} MiB (upstream 914)`)
}

/** Seconds until a containerd alone answers: no cluster of real containers starts faster. */
async function bareContainerd(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'kubets-floor-'))
  mkdirSync(join(folder, 'state'))
  const socket = join(folder, 's')
  writeFileSync(
    join(folder, 'c.toml'),
    `version = 2\nroot = "${folder}/root"\nstate = "${folder}/state"\n[grpc]\naddress = "${socket}"\n`,
  )
  const started = clock.monotonic()
  const daemon = spawn('containerd', ['-c', join(folder, 'c.toml')], { stdio: 'ignore' })
  try {
    await eventually(async () => {
      execFileSync('ctr', ['-a', socket, 'version'], { stdio: 'ignore' })
      return true
    }, 'containerd answers')
    return (clock.monotonic() - started) / 1000
  } finally {
    daemon.kill()
    await new Promise((resolve) => daemon.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

const results: Round[] = []
for (let round = 0; round < rounds; round++) results.push(await runRound())
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
  'first pod Running (with image load)',
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
