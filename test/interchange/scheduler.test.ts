/** Our scheduler, as a process of its own, places the pods of a real kube-apiserver. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import test, { after, before, describe } from 'node:test'
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Event, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec } from '#api/core/v1.gen.ts'
import {
  EVENTS,
  LEASES,
  NODES,
  PERSISTENTVOLUMECLAIMS,
  PERSISTENTVOLUMES,
  PODS,
  PRIORITYCLASSES,
  SERVICEACCOUNTS,
  STORAGECLASSES,
} from '#api/resources.gen.ts'
import type { PriorityClass } from '#api/scheduling/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import { SystemClock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { waitFor, type Question } from './eventually.ts'
import { reasonToSkip, startPeer, type Peer } from './peer-control-plane.ts'

const PORT = 19_300
/** Of the scheduler's own server; the peer takes the seven from PORT on. */
const OWN_PORT = 19_310
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

/** Its certificate is its own. */
const curl = (url: string): string => execFileSync('curl', ['-sk', url], { encoding: 'utf8' })

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
    const flags = ['--kubeconfig', peer.kubeconfig, '--bind-address', '127.0.0.1', '--secure-port', String(OWN_PORT)]
    scheduler = spawn(process.execPath, [`${ROOT}bin/kube-scheduler.ts`, ...flags], {
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

  test('a pod of higher priority takes a place, and the victim is told why', async () => {
    await client.create<PriorityClass>(PRIORITYCLASSES, { metadata: { name: 'urgent' }, value: 1000 })
    const resources = { requests: { cpu: '1500m' } }
    const spec = { nodeSelector: { disk: 'ssd' } }
    await createPod('victim', { ...spec, containers: [{ name: 'c', image: 'i', resources }] })
    await eventually('the victim is placed', () => nodeOf('victim'))
    await createPod('urgent', {
      ...spec,
      priorityClassName: 'urgent',
      containers: [{ name: 'c', image: 'i', resources }],
    })
    const nominated = await eventually('urgent is promised the node', async () => {
      const { status } = await client.get(PODS, 'default', 'urgent')
      return status?.nominatedNodeName
    })
    assert.equal(nominated, 'fast')
    // There is no kubelet to end the victim.
    const victim = await eventually('the victim is told to end', async () => {
      const pod = await client.get(PODS, 'default', 'victim')
      return pod.metadata.deletionTimestamp === undefined ? undefined : pod
    })
    const reason = victim.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason
    assert.equal(reason, 'PreemptionByScheduler')
    await client.delete(PODS, 'default', 'victim', { gracePeriodSeconds: 0 })
    assert.equal(await eventually('urgent is placed', () => nodeOf('urgent')), 'fast')
  })

  test('a pod whose claim is missing waits for it; its volume decides the node', async () => {
    await createPod('stateful', {
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    })
    const condition = await eventually('the condition', async () =>
      (await client.get(PODS, 'default', 'stateful')).status?.conditions?.find(({ status }) => status === 'False'),
    )
    assert.equal(
      condition.message,
      '0/2 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    )
    await client.create<StorageClass>(STORAGECLASSES, {
      metadata: { name: 'local' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['plain'] }] }
    await client.create<PersistentVolume>(PERSISTENTVOLUMES, {
      metadata: { name: 'disk' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        storageClassName: 'local',
        hostPath: { path: '/data' },
        nodeAffinity: { required: { nodeSelectorTerms: [term] } },
      },
    })
    await client.patch(
      PERSISTENTVOLUMES,
      '',
      'disk',
      'merge',
      { status: { phase: 'Available' } },
      { subresource: 'status' },
    )
    await client.create<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, {
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local', resources: { requests: { storage: '1Gi' } } },
    })
    const disk = await eventually('the volume is chosen', async () => {
      const volume = await client.get(PERSISTENTVOLUMES, '', 'disk')
      return volume.spec.claimRef === undefined ? undefined : volume
    })
    assert.equal(disk.spec.claimRef?.name, 'data')
    // There is no volume controller to answer.
    const bound = {
      metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
      spec: { volumeName: 'disk' },
    }
    await client.patch(PERSISTENTVOLUMECLAIMS, 'default', 'data', 'merge', bound)
    assert.equal(await eventually('stateful is placed', () => nodeOf('stateful')), 'plain')
  })

  test('it says that it lives, and shows metrics to those who may see them', async () => {
    const own = `https://127.0.0.1:${OWN_PORT}`
    assert.equal(curl(`${own}/healthz`), 'ok')
    assert.equal(curl(`${own}/readyz`), 'ok')
    assert.match(curl(`${own}/metrics`), /forbidden: User \\"system:anonymous\\" cannot get path \\"\/metrics\\"/)
    const lease = await client.get<Lease>(LEASES, 'kube-system', 'kube-scheduler')
    assert.ok(lease.spec?.holderIdentity)
  })
})
