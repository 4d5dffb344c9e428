/** Our controllers, as a process of their own, drive a real kube-apiserver: what kubectl and its users see is what they know. */
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import test, { after, before, describe } from 'node:test'
import type { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet } from '#api/apps/v1.gen.ts'
import type { Job } from '#api/batch/v1.gen.ts'
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { ConfigMap, Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import * as resources from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { LIMIT_MS, waitFor, type Question } from './eventually.ts'
import { reasonToSkip, startPeer, type Peer } from './peer-control-plane.ts'
import { PodStarter } from './pod-starter.ts'

const PORT = 19_200
const MANUAL = 'started-by-test'
const NODE = 'node-1'
/** The tests say how its pods end. */
const JOB_TEMPLATE = {
  metadata: { labels: { [MANUAL]: 'yes' } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'job' }] },
}
const HASH = 'pod-template-hash'

const reason = reasonToSkip()
if (reason !== null) console.error(`${reason}\n`)

let peer: Peer
let manager: ChildProcess
let client: Client
let starter: PodStarter
const clock = new SystemClock({ keepsProcessAlive: true })
const closing = new AbortController()
let transport: HttpTransport
const managerLog: string[] = []

function eventually<T>(what: string, ask: Question<T>): Promise<T> {
  return waitFor(clock, what, ask, () => managerLog.slice(-8).join('\n'))
}

async function isGone<T extends KubernetesObject>(
  ref: ResourceRef<T>,
  namespace: string,
  name: string,
): Promise<boolean> {
  return client.get(ref, namespace, name).then(
    () => false,
    (error: unknown) => isNotFound(error) || Promise.reject(error as Error),
  )
}

/** A namespace with the ServiceAccount without which no pod is admitted. */
async function createNamespace(name: string): Promise<void> {
  await client.create<Namespace>(resources.NAMESPACES, { metadata: { name }, spec: {} })
  await eventually('default ServiceAccount', () =>
    client.get<ServiceAccount>(resources.SERVICEACCOUNTS, name, 'default'),
  )
}

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(peer.kubectl, ['--kubeconfig', peer.kubeconfig, ...args], {
    timeout: LIMIT_MS,
  })
  return stdout
}

async function untilRolledOut(namespace: string, name: string): Promise<void> {
  assert.match(await kubectl('-n', namespace, 'rollout', 'status', `deploy/${name}`), /successfully rolled out/)
}

function podTemplate(app: string, image = 'app:1') {
  return { metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image }] } }
}

async function createDeployment(namespace: string, name: string, replicas: number): Promise<void> {
  await client.create<Deployment>(resources.DEPLOYMENTS, {
    metadata: { name, namespace },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: podTemplate(name) },
  })
}

async function setImage(namespace: string, name: string, image: string): Promise<void> {
  const body = { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } }
  await client.patch(resources.DEPLOYMENTS, namespace, name, 'strategic', body)
}

async function eventsAbout(namespace: string, kind: string, name: string): Promise<string[]> {
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name}`
  const { items } = await client.list<Event>(resources.EVENTS, namespace, { fieldSelector })
  return items.map((event) => `${event.type} ${event.reason}: ${event.message}`)
}

function replicaSetsOf(namespace: string, app: string): Promise<ReplicaSet[]> {
  return client
    .list<ReplicaSet>(resources.REPLICASETS, namespace, { labelSelector: `app=${app}` })
    .then(({ items }) => items)
}

describe('our controllers on a real API server', { skip: reason ?? false }, () => {
  before(async () => {
    peer = startPeer(PORT)
    transport = new HttpTransport({ config: await loadKubeconfig(peer.kubeconfig), clock, userAgent: 'test' })
    client = new RestClient(transport)
    const informers = new SharedInformerFactory({ client, clock, random: new SystemRandom(), log: NO_LOG })
    starter = new PodStarter(client, informers, { nodeName: NODE, skipLabel: MANUAL })
    informers.start(closing.signal)
    const program = resolve(import.meta.dirname, '../../bin/kube-controller-manager.ts')
    const flags = ['--kubeconfig', peer.kubeconfig, '--root-ca-file', peer.caFile, '--cluster-cidr', '10.244.0.0/16']
    manager = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [manager.stdout!, manager.stderr!])
      stream.on('data', (chunk: Buffer) => managerLog.push(...chunk.toString().trimEnd().split('\n')))
    await client.create<Node>(resources.NODES, { metadata: { name: NODE }, spec: {} })
    await createNamespace('work')
  })

  after(async () => {
    manager?.kill('SIGKILL')
    closing.abort(new Error('over'))
    await transport?.close()
    peer?.down()
  })

  test('one process leads, and says so on its lease', async () => {
    const lease = await eventually('lease', () =>
      client.get<Lease>(resources.LEASES, 'kube-system', 'kube-controller-manager'),
    )
    assert.equal(lease.spec.leaseDurationSeconds, 15)
    const line = `Normal LeaderElection: ${lease.spec.holderIdentity} became leader`
    await eventually('event of the leader', async () =>
      (await eventsAbout('kube-system', 'Lease', 'kube-controller-manager')).includes(line),
    )
  })

  test('a namespace has its default account and the root certificate', async () => {
    const { data } = await eventually('kube-root-ca.crt', () =>
      client.get<ConfigMap>(resources.CONFIGMAPS, 'work', 'kube-root-ca.crt'),
    )
    assert.match(data?.['ca.crt'] ?? '', /^-----BEGIN CERTIFICATE-----/)
  })

  test('a Deployment rolls out, is scaled, rolled over and rolled back, as kubectl tells', async () => {
    await createDeployment('work', 'web', 3)
    await untilRolledOut('work', 'web')
    const [first] = await replicaSetsOf('work', 'web')
    const hash = first!.metadata.labels![HASH]!
    assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
    assert.equal(first!.metadata.name, `web-${hash}`)
    assert.deepEqual(first!.spec.selector.matchLabels, { app: 'web', [HASH]: hash })
    await kubectl('-n', 'work', 'scale', 'deploy/web', '--replicas=5')
    await eventually('five pods', async () => starter.withLabel('work', HASH, hash).length === 5)
    await setImage('work', 'web', 'app:2')
    await untilRolledOut('work', 'web')
    await eventually('old pods gone', async () => starter.withLabel('work', HASH, hash).length === 0)
    assert.match(await kubectl('-n', 'work', 'rollout', 'history', 'deploy/web'), /REVISION[^]*\n1 [^]*\n2 /)
    await kubectl('-n', 'work', 'rollout', 'undo', 'deploy/web')
    await eventually('the first template again', async () => {
      const { metadata, status } = await client.get<Deployment>(resources.DEPLOYMENTS, 'work', 'web')
      const isSeen = status?.observedGeneration === metadata.generation && status?.updatedReplicas === 5
      return isSeen && metadata.annotations?.['deployment.kubernetes.io/revision'] === '3'
    })
    await untilRolledOut('work', 'web')
    assert.equal((await replicaSetsOf('work', 'web')).length, 2, 'the old ReplicaSet serves again')
    const { status } = await client.get<Deployment>(resources.DEPLOYMENTS, 'work', 'web')
    const conditions = Object.fromEntries(status!.conditions!.map(({ type, reason: why }) => [type, why]))
    assert.deepEqual(conditions, { Available: 'MinimumReplicasAvailable', Progressing: 'NewReplicaSetAvailable' })
    const told = await eventsAbout('work', 'Deployment', 'web')
    assert.ok(told.includes(`Normal ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`), told.join('\n'))
  })

  test('a rollout that breaks keeps the old pods serving, and its deadline is told', async () => {
    await createDeployment('work', 'careful', 4)
    await untilRolledOut('work', 'careful')
    const body = {
      spec: {
        progressDeadlineSeconds: 2,
        minReadySeconds: 0,
        template: { metadata: { labels: { [MANUAL]: 'yes' } }, spec: { containers: [{ name: 'c', image: 'bad' }] } },
      },
    }
    await client.patch(resources.DEPLOYMENTS, 'work', 'careful', 'strategic', body)
    const { status } = await eventually('ProgressDeadlineExceeded', async () => {
      const deployment = await client.get<Deployment>(resources.DEPLOYMENTS, 'work', 'careful')
      const progress = deployment.status?.conditions?.find(({ type }) => type === 'Progressing')
      return progress?.reason === 'ProgressDeadlineExceeded' && deployment
    })
    assert.equal(status?.availableReplicas, 3, '25 % of four may be missing')
    assert.equal(status?.updatedReplicas, 2, 'and one more of four may be there')
  })

  test('a paused Deployment does not roll out before it is resumed', async () => {
    await createDeployment('work', 'paused', 1)
    await untilRolledOut('work', 'paused')
    await kubectl('-n', 'work', 'rollout', 'pause', 'deploy/paused')
    await setImage('work', 'paused', 'app:2')
    await eventually('seen', async () => {
      const { metadata, status } = await client.get<Deployment>(resources.DEPLOYMENTS, 'work', 'paused')
      return status?.observedGeneration === metadata.generation
    })
    assert.equal((await replicaSetsOf('work', 'paused')).length, 1)
    await kubectl('-n', 'work', 'rollout', 'resume', 'deploy/paused')
    await untilRolledOut('work', 'paused')
    assert.equal((await replicaSetsOf('work', 'paused')).length, 2)
  })

  test('a Recreate Deployment has no pod of the new template before the last old one is gone', async () => {
    await client.create<Deployment>(resources.DEPLOYMENTS, {
      metadata: { name: 'single', namespace: 'work' },
      spec: {
        replicas: 2,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: { app: 'single' } },
        template: podTemplate('single'),
      },
    })
    await untilRolledOut('work', 'single')
    let mixed = 0
    const look = (): void => {
      const pods = starter.pods.list('work').filter(({ metadata }) => metadata.labels?.['app'] === 'single')
      if (new Set(pods.map(({ metadata }) => metadata.labels![HASH])).size > 1) mixed++
    }
    starter.pods.addHandler({ added: look, updated: look })
    await setImage('work', 'single', 'app:2')
    await untilRolledOut('work', 'single')
    assert.equal(mixed, 0)
  })

  test('a Service has its slices and Endpoints', async () => {
    await client.create<Service>(resources.SERVICES, {
      metadata: { name: 'web', namespace: 'work' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] },
    })
    const slice = await eventually('slice with five endpoints', async () => {
      const labelSelector = 'kubernetes.io/service-name=web'
      const { items } = await client.list<EndpointSlice>(resources.ENDPOINTSLICES, 'work', { labelSelector })
      return items.find(({ endpoints }) => endpoints?.length === 5)
    })
    assert.equal(slice.metadata.labels!['endpointslice.kubernetes.io/managed-by'], 'endpointslice-controller.k8s.io')
    assert.deepEqual(slice.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
    for (const { conditions } of slice.endpoints ?? [])
      assert.deepEqual(conditions, { ready: true, serving: true, terminating: false })
    const { subsets } = await eventually('Endpoints', async () => {
      const endpoints = await client.get<Endpoints>(resources.ENDPOINTS, 'work', 'web')
      return endpoints.subsets?.[0]?.addresses?.length === 5 && endpoints
    })
    assert.deepEqual(subsets?.[0]?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  })

  test('a disruption budget counts, and evictions pass only as far as it allows', async () => {
    await client.create<PodDisruptionBudget>(resources.PODDISRUPTIONBUDGETS, {
      metadata: { name: 'web', namespace: 'work' },
      spec: { minAvailable: 5, selector: { matchLabels: { app: 'web' } } },
    })
    const untilAllowed = (count: number): Promise<unknown> =>
      eventually(`${count} disruptions allowed`, async () => {
        const { metadata, status } = await client.get<PodDisruptionBudget>(
          resources.PODDISRUPTIONBUDGETS,
          'work',
          'web',
        )
        const isSeen = status?.observedGeneration === metadata.generation && status?.currentHealthy === 5
        return isSeen && status?.expectedPods === 5 && status.disruptionsAllowed === count
      })
    const [pod] = starter.withLabel('work', 'app', 'web')
    const evict = (): Promise<unknown> =>
      client.createSubresource(resources.PODS, 'work', pod!.metadata.name, 'eviction', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: pod!.metadata.name, namespace: 'work' },
      })
    await untilAllowed(0)
    await assert.rejects(evict(), { reason: 'TooManyRequests' })
    await client.patch(resources.PODDISRUPTIONBUDGETS, 'work', 'web', 'merge', { spec: { minAvailable: 4 } })
    await untilAllowed(1)
    await evict()
    await eventually('evicted', async () => !starter.has(pod!))
    await untilAllowed(1)
  })

  test('a Job of three indexes completes', async () => {
    await client.create<Job>(resources.JOBS, {
      metadata: { name: 'three', namespace: 'work' },
      spec: {
        completions: 3,
        parallelism: 2,
        completionMode: 'Indexed',
        template: JOB_TEMPLATE,
      },
    })
    const seen = new Set<string>()
    await eventually('Complete', async () => {
      for (const pod of starter.withLabel('work', 'batch.kubernetes.io/job-name', 'three')) {
        seen.add(pod.metadata.annotations!['batch.kubernetes.io/job-completion-index']!)
        if (pod.status?.phase === 'Pending') await starter.setStatus(pod, { phase: 'Succeeded' })
      }
      const { status } = await client.get<Job>(resources.JOBS, 'work', 'three')
      return status?.conditions?.some(({ type, status: holds }) => type === 'Complete' && holds === 'True')
    })
    const { status } = await client.get<Job>(resources.JOBS, 'work', 'three')
    assert.deepEqual([...seen].toSorted(), ['0', '1', '2'])
    assert.equal(status!.succeeded, 3)
    assert.equal(status!.completedIndexes, '0-2')
    const told = await eventually('event of the end', async () => {
      const events = await eventsAbout('work', 'Job', 'three')
      return events.some((line) => line.startsWith('Normal Completed')) && events
    })
    assert.ok(told.includes('Normal Completed: Job completed'))
    for (const pod of starter.withLabel('work', 'batch.kubernetes.io/job-name', 'three'))
      assert.deepEqual(pod.metadata.finalizers ?? [], [])
  })

  test('a Job that fails too often says why', async () => {
    await client.create<Job>(resources.JOBS, {
      metadata: { name: 'failing', namespace: 'work' },
      spec: {
        backoffLimit: 0,
        template: JOB_TEMPLATE,
      },
    })
    const failed = await eventually('Failed', async () => {
      for (const pod of starter.withLabel('work', 'batch.kubernetes.io/job-name', 'failing'))
        if (pod.status?.phase === 'Pending') await starter.setStatus(pod, { phase: 'Failed' })
      const { status } = await client.get<Job>(resources.JOBS, 'work', 'failing')
      return status?.conditions?.find(({ type }) => type === 'Failed')
    })
    assert.equal(failed.reason, 'BackoffLimitExceeded')
    assert.equal(failed.message, 'Job has reached the specified backoff limit')
  })

  test('a StatefulSet starts in order and keeps its names; a DaemonSet has a pod per node with a range', async () => {
    await client.create<StatefulSet>(resources.STATEFULSETS, {
      metadata: { name: 'db', namespace: 'work' },
      spec: {
        replicas: 3,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: podTemplate('db'),
      },
    })
    assert.match(
      await kubectl('-n', 'work', 'rollout', 'status', 'sts/db'),
      /partitioned roll out complete|complete 3 pods/,
    )
    const names = starter.withLabel('work', 'app', 'db').map(({ metadata }) => metadata.name)
    assert.deepEqual(names.toSorted(), ['db-0', 'db-1', 'db-2'])
    const node = await eventually('pod range', async () => {
      const found = await client.get<Node>(resources.NODES, '', NODE)
      return found.spec?.podCIDR !== undefined && found
    })
    assert.match(node.spec!.podCIDR!, /^10\.244\.\d+\.0\/24$/)
    await client.create<DaemonSet>(resources.DAEMONSETS, {
      metadata: { name: 'agent', namespace: 'work' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: podTemplate('agent') },
    })
    await eventually('pod of the node', async () => starter.withLabel('work', 'app', 'agent').length === 1)
    const { items } = await client.list<ControllerRevision>(resources.CONTROLLERREVISIONS, 'work', {})
    assert.ok(items.some(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'DaemonSet'))
  })

  test('deletion in the background, in the foreground and of the owner alone', async () => {
    for (const name of ['background', 'foreground', 'orphan']) {
      await createDeployment('work', name, 2)
      await untilRolledOut('work', name)
    }
    const policies = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' }
    for (const [name, propagationPolicy] of Object.entries(policies))
      await client.delete(resources.DEPLOYMENTS, 'work', name, { propagationPolicy })
    for (const name of Object.keys(policies))
      await eventually(`${name} gone`, () => isGone(resources.DEPLOYMENTS, 'work', name))
    assert.deepEqual(await replicaSetsOf('work', 'foreground'), [], 'an owner in the foreground goes last')
    await eventually('background dependents gone', async () => (await replicaSetsOf('work', 'background')).length === 0)
    for (const name of ['background', 'foreground'])
      await eventually(`pods of ${name} gone`, async () => starter.withLabel('work', 'app', name).length === 0)
    const [left] = await replicaSetsOf('work', 'orphan')
    assert.deepEqual(left?.metadata.ownerReferences ?? [], [])
    assert.equal(starter.withLabel('work', 'app', 'orphan').length, 2)
  })

  test('a pod whose owner never was is collected', async () => {
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'never',
      uid: '5f1b7a3e-0000-4000-8000-000000000000',
    }
    const metadata = { name: 'dangling', namespace: 'work', ownerReferences: [owner] }
    await client.create<Pod>(resources.PODS, { metadata, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await eventually('collected', () => isGone(resources.PODS, 'work', 'dangling'))
  })

  test('a namespace goes with all that is in it', async () => {
    await createNamespace('doomed')
    await createDeployment('doomed', 'inside', 2)
    await client.create<ConfigMap>(resources.CONFIGMAPS, {
      metadata: { name: 'held', namespace: 'doomed', finalizers: ['example.com/hold'] },
    })
    await untilRolledOut('doomed', 'inside')
    await client.delete(resources.NAMESPACES, '', 'doomed')
    const { status } = await eventually('what it waits for', async () => {
      const namespace = await client.get<Namespace>(resources.NAMESPACES, '', 'doomed')
      const types = namespace.status?.conditions?.filter(({ status: holds }) => holds === 'True') ?? []
      return types.some(({ type }) => type === 'NamespaceFinalizersRemaining') && namespace
    })
    const remaining = status!.conditions!.find(({ type }) => type === 'NamespaceFinalizersRemaining')!
    assert.equal(remaining.reason, 'SomeFinalizersRemain')
    assert.equal(
      remaining.message,
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    )
    await client.patch(resources.CONFIGMAPS, 'doomed', 'held', 'merge', { metadata: { finalizers: null } })
    await eventually('namespace gone', () => isGone(resources.NAMESPACES, '', 'doomed'))
  })

  test('nothing failed on the way; a stopped manager gives its lease up', async () => {
    assert.deepEqual(starter.failures, [])
    const worrying = managerLog.filter((line) => /"level":"(warn|error)"/.test(line))
    assert.deepEqual(worrying, [])
    manager.kill('SIGTERM')
    const [code] = (await once(manager, 'exit')) as [number | null]
    assert.equal(code, 0)
    const { spec } = await client.get<Lease>(resources.LEASES, 'kube-system', 'kube-controller-manager')
    assert.equal(spec.holderIdentity ?? '', '')
  })
})
