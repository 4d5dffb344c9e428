/** Whatever is killed, and after `down --keep-data` and `up`: the same pods run on. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { boxProcesses } from '#cluster/host-cgroups.ts'
import { ROOT, TestCluster, eventually, kubets, missingForNodes } from './cluster.ts'
import { leftovers } from './leftovers.ts'

const skip = missingForNodes() ?? false
const NAME = 'e2e-survival'

/** Ends the processes of a box whose command line has this text (the loops that start them again are not meant). */
async function crash(box: string, text: string): Promise<void> {
  const victims = (await boxProcesses(NAME, box)).filter((pid) => {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return (
      command.includes(text) &&
      !command.startsWith('sh ') &&
      !command.startsWith('/bin/sh ') &&
      !command.startsWith('unshare ')
    )
  })
  assert.ok(victims.length > 0, `${box} runs no ${text}`)
  for (const pid of victims) process.kill(pid, 'SIGKILL')
}

/** What a reboot does to the cluster: every process ends at once, and nothing that is not on disk is left. */
async function cutPower(): Promise<void> {
  const { subnet } = JSON.parse(readFileSync(`/var/lib/kubets/clusters/${NAME}.json`, 'utf8')) as { subnet: number }
  for (const box of ['control-plane', 'node-1'])
    for (let left = await boxProcesses(NAME, box); left.length > 0; left = await boxProcesses(NAME, box))
      for (const pid of left) killIfThere(pid)
  const commands = [
    `umount /run/netns/kubets-${NAME}-node-1; rm /run/netns/kubets-${NAME}-node-1`,
    `ip link delete kubets${subnet}; nft delete table ip kubets${subnet}`,
    `find /sys/fs/cgroup -path '*/kubets/${NAME}*' -depth -type d -exec rmdir {} +`,
  ]
  for (const command of commands) execFileSync('sh', ['-c', command])
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

describe('survival', { skip }, () => {
  let cluster: TestCluster
  let scratch: string
  let uid: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'kubets-survival-'))
    cluster = await TestCluster.start(NAME, '--nodes', '1', '--data-dir', join(scratch, 'data'))
    await cluster.kubectl(`apply -f ${ROOT}examples/phase-running.yaml`)
    await cluster.kubectl('wait --for=condition=Ready pod/running --timeout=30s')
    uid = await cluster.field('pod/running', '{.metadata.uid}')
  })

  after(async () => {
    await cluster?.stop()
    rmSync(scratch, { recursive: true, force: true })
    assert.deepEqual(await leftovers(NAME), [], 'nothing is left after down')
  })

  /** The same pod, Ready, with a container that answers. */
  async function runsOn(): Promise<void> {
    await eventually(
      async () => (await cluster.kubectl('exec running -- echo alive')) === 'alive\n',
      'the container answers',
      40_000,
    )
    await cluster.kubectl('wait --for=condition=Ready pod/running --timeout=40s')
    assert.equal(await cluster.field('pod/running', '{.metadata.uid}'), uid)
  }

  test('the control plane is killed: containers are not touched', async () => {
    await crash('control-plane', 'bin/control-plane.')
    await runsOn()
    assert.equal(await cluster.field('pod/running', '{.status.containerStatuses[0].restartCount}'), '0')
  })

  test('the node agent is killed: it adopts what runs', async () => {
    await crash('node-1', 'bin/node-agent.')
    await runsOn()
    assert.equal(await cluster.field('pod/running', '{.status.containerStatuses[0].restartCount}'), '0')
  })

  test('containerd is killed: it finds its containers again', async () => {
    await crash('node-1', 'containerd -c ')
    await runsOn()
    assert.equal(await cluster.field('pod/running', '{.status.containerStatuses[0].restartCount}'), '0')
    await cluster.kubectl('run after --image=example.test/shell:1 --command -- sleep 600')
    await cluster.kubectl('wait --for=condition=Ready pod/after --timeout=30s')
  })

  test('the node crashes: its pods start again', async () => {
    await crash('node-1', 'nodes/node-1/pause')
    await eventually(
      async () => (await cluster.field('pod/running', '{.status.containerStatuses[0].restartCount}')) === '1',
      'a restart',
      40_000,
    )
    await runsOn()
  })

  test('down --keep-data and up: the same objects, the same pods', async () => {
    const down = await kubets('down', '--name', NAME, '--keep-data')
    assert.equal(down.code, 0, down.stderr)
    // Twice at once: one starts it, the other waits and finds it running.
    const ups = await Promise.all([kubets('up', '--name', NAME), kubets('up', '--name', NAME)])
    for (const up of ups) assert.equal(up.code, 0, up.stderr)
    assert.equal(ups.filter(({ stdout }) => stdout.includes('already running')).length, 1)
    await runsOn()
  })

  test('the machine loses its power: after up the same pods start again', async () => {
    const restarts = async (): Promise<number> =>
      Number(await cluster.field('pod/running', '{.status.containerStatuses[0].restartCount}'))
    const before = await restarts()
    await cutPower()
    const status = await kubets('status', '--name', NAME)
    assert.equal(status.code, 1)
    assert.match(status.stdout, /problem: nothing runs; .* start it with: kubets up --name e2e-survival/)
    const up = await kubets('up', '--name', NAME)
    assert.equal(up.code, 0, up.stderr)
    await eventually(async () => (await restarts()) === before + 1, 'a restart', 40_000)
    await runsOn()
  })
})
