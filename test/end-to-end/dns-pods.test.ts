/** The cluster DNS as users see it: pods and endpoints in kube-system, which survive deletion, drain, and the death of their process. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { boxProcesses } from '#cluster/host-cgroups.ts'
import { ROOT, TestCluster, eventually, missingForNodes } from './cluster.ts'
import { leftovers } from './leftovers.ts'

const skip = missingForNodes() ?? false
const NAME = 'e2e-dns'
const DNS_POD = '-n kube-system pod/coredns-node-1'
const READY = '{.status.containerStatuses[0].ready}'

describe('DNS pods', { skip }, () => {
  let cluster: TestCluster
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'kubets-dns-'))
    cluster = await TestCluster.start(NAME, '--nodes', '2', '--data-dir', join(scratch, 'data'))
    // The mirrors come a moment after their nodes.
    await eventually(
      async () => (await cluster.try('-n kube-system get pod coredns-node-1 coredns-node-2')).code === 0,
      'mirror pods',
    )
    await cluster.kubectl(`apply -f ${ROOT}examples/phase-running.yaml`)
    await cluster.kubectl('wait --for=condition=Ready pod/running --timeout=30s')
  })

  after(async () => {
    await cluster?.stop()
    await rm(scratch, { recursive: true, force: true })
    assert.deepEqual(await leftovers(NAME), [], 'nothing is left after down')
  })

  const resolves = async (...server: string[]): Promise<void> => {
    const lookup = ['exec', 'running', '--', 'nslookup', '-type=a', 'kubernetes.default.svc.cluster.local', ...server]
    assert.match(await cluster.kubectlArgs(lookup), /Address:\s+10\.96\.0\.1\n/)
  }

  test('each node has a Ready pod, and its address is an endpoint of kube-dns that the node prefers', async () => {
    await cluster.kubectl('-n kube-system wait --for=condition=Ready pod -l k8s-app=kube-dns --timeout=30s')
    const selector = '-n kube-system endpointslices -l kubernetes.io/service-name=kube-dns'
    for (const node of ['node-1', 'node-2']) {
      const ip = await cluster.field(`node ${node}`, '{.status.addresses[?(@.type=="InternalIP")].address}')
      await eventually(async () => {
        const of = `{.items[0].endpoints[?(@.nodeName=="${node}")]`
        const endpoint = await cluster.field(selector, `${of}.addresses[0]} ${of}.hints.forNodes[0].name}`)
        return endpoint === `${ip} ${node}`
      }, `${node} is an endpoint`)
      await resolves(ip)
    }
    await resolves()
    assert.match(await cluster.kubectl('cluster-info'), /CoreDNS.* is running at/)
  })

  test('logs are those of the server; exec says why it cannot', async () => {
    assert.match(await cluster.kubectl('-n kube-system logs coredns-node-1 --tail=1'), /^INFO answering /)
    const exec = await cluster.try('-n kube-system exec coredns-node-1 -- sh')
    assert.notEqual(exec.code, 0)
    assert.match(exec.stderr, /runs inside the node agent/)
  })

  test('a deleted pod comes back, and drain leaves it alone', async () => {
    const uid = await cluster.field(DNS_POD, '{.metadata.uid}')
    await cluster.kubectl('-n kube-system delete pod coredns-node-1')
    await eventually(async () => (await cluster.field(DNS_POD, '{.metadata.uid}')) !== uid, 'there is a new mirror')
    await cluster.kubectl('drain node-1 --force --pod-selector=k8s-app=kube-dns')
    await eventually(async () => (await cluster.field(DNS_POD, READY)) === 'true', 'it is ready')
    await cluster.kubectl('uncordon node-1')
  })

  test('when the agent is killed, the same pod is back with one restart more', async () => {
    const before = await cluster.field(DNS_POD, '{.metadata.uid} {.status.containerStatuses[0].restartCount}')
    const [uid, restarts] = before.split(' ')
    const agents = (await boxProcesses(NAME, 'node-1')).filter((pid) => {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return program.endsWith('node') && args.some((arg) => /node-agent\.[jt]s$/.test(arg))
    })
    assert.equal(agents.length, 1)
    process.kill(agents[0]!, 'SIGKILL')
    await eventually(async () => {
      const status = await cluster.field(
        DNS_POD,
        `{.metadata.uid} {.status.containerStatuses[0].restartCount} ${READY}`,
      )
      return status === `${uid} ${Number(restarts) + 1} true`
    }, 'it is ready again')
    await resolves()
  })
})
