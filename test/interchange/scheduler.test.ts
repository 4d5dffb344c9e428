/** Our scheduler, as a process of its own, places the pods of a real kube-apiserver. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import test, { after, before, describe } from 'node:test'
import type { Event, Node, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { EVENTS, NODES, PODS, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { waitFor, type Question } from './eventually.ts'
import { reasonToSkip, startPeer, type Peer } from './peer-control-plane.ts'

const PORT = 19_300
const ROOT = new URL('../../', import.meta.url).pathname

const reason = reasonToSkip()
if (reason !== null) console.error(`${reason}\n`)

let peer: Peer
let scheduler: ChildProcess
let client: Client
let transport: HttpTransport
const clock = new SystemClock({ keepsProcessAlive: true })
const log: string[] = []

function eventually<T>(what: string, ask: Question<T>): Promise<T> {
  return waitFor(clock, what, ask, () => log.slice(-8).join('\n'))
}

/** A Ready node without a kubelet. */
async function createNode(name: string, labels: Record<string, string> = {}): Promise<void> {
  await client.create<Node>(NODES, { metadata: { name, labels }, spec: {} })
  const allocatable = { cpu: '2', memory: '4Gi', pods: '110' }
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }]
  await client.patch<Node>(
    NODES,
    '',
    name,
    'strategic',
    { status: { allocatable, capacity: allocatable, conditions } },
    { subresource: 'status' },
  )
  // Without a node controller nobody else takes away the taint of a node that has not reported yet.
  await client.patch<Node>(NODES, '', name, 'merge', { spec: { taints: null } })
}

async function createPod(name: string, spec: Partial<PodSpec>): Promise<void> {
  const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }]
  await client.create<Pod>(PODS, { metadata: { name, namespace: 'default' }, spec: { containers, ...spec } })
}

const nodeOf = (name: string): Promise<string | undefined> =>
  client.get(PODS, 'default', name).then(({ spec }) => spec.nodeName)

describe('our scheduler on a real kube-apiserver', { skip: reason ?? false }, () => {
  before(async () => {
    peer = startPeer(PORT)
    transport = new HttpTransport({
      config: await loadKubeconfig(peer.kubeconfig),
      clock,
      userAgent: 'scheduler-test/1',
    })
    client = new RestClient(transport)
    await client.create(SERVICEACCOUNTS, { metadata: { name: 'default', namespace: 'default' } })
    await createNode('plain')
    await createNode('fast', { disk: 'ssd' })
    scheduler = spawn(process.execPath, [`${ROOT}bin/kube-scheduler.ts`, '--kubeconfig', peer.kubeconfig], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [scheduler.stdout!, scheduler.stderr!])
      stream.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  })

  after(async () => {
    if (scheduler !== undefined) {
      const ended = once(scheduler, 'exit')
      scheduler.kill('SIGTERM')
      await ended
    }
    await transport?.close()
    peer?.down()
  })

  test('a pod is bound to the node that its selector asks for', async () => {
    await createPod('picky', { nodeSelector: { disk: 'ssd' } })
    assert.equal(await eventually('picky is placed', () => nodeOf('picky')), 'fast')
    const scheduled = await eventually('the event', async () =>
      (await client.list<Event>(EVENTS, 'default')).items.find(({ reason: why }) => why === 'Scheduled'),
    )
    assert.equal(scheduled.message, 'Successfully assigned default/picky to fast')
  })

  test('a pod that fits nowhere says why, and is placed once it fits', async () => {
    await createPod('large', { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '3' } } }] })
    const condition = await eventually('the condition', async () =>
      (await client.get(PODS, 'default', 'large')).status?.conditions?.find(
        ({ type, status }) => type === 'PodScheduled' && status === 'False',
      ),
    )
    assert.equal(condition.reason, 'Unschedulable')
    assert.match(condition.message ?? '', /^0\/2 nodes are available: 2 Insufficient cpu\./)
    const size = { cpu: '8', memory: '4Gi', pods: '110' }
    await client.patch<Node>(
      NODES,
      '',
      'plain',
      'strategic',
      { status: { allocatable: size, capacity: size } },
      { subresource: 'status' },
    )
    assert.equal(await eventually('large is placed', () => nodeOf('large')), 'plain')
  })
})
