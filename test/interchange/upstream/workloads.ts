/** Deployments, ReplicaSets, StatefulSets, DaemonSets and what follows them, driven to their ends by upstream's controllers. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { UpstreamCluster } from './cluster.ts'
import { workload } from './objects.ts'

const NAMESPACE = 'workloads'
const CHART = new URL('../../../examples/chart', import.meta.url).pathname

export function testWorkloads(cluster: () => UpstreamCluster): void {
  test('a Deployment rolls out, rolls over, is rolled back, scaled, paused and resumed', async () => {
    const { kubectl, field } = bind(cluster())
    await cluster().createNamespace(NAMESPACE)
    await cluster().create(workload('Deployment', NAMESPACE, 'web', { replicas: 3 }))
    const rolledOut = (): Promise<string> => kubectl('rollout', 'status', 'deploy/web', '--timeout=30s')
    assert.match(await rolledOut(), /successfully rolled out/)
    await kubectl('set', 'image', 'deploy/web', 'c=example.test/c:2')
    await rolledOut()
    assert.match(await kubectl('rollout', 'history', 'deploy/web'), /\n1 [^]*\n2 /)
    await kubectl('rollout', 'undo', 'deploy/web')
    await rolledOut()
    assert.equal(await field('deploy/web', '{.spec.template.spec.containers[0].image}'), 'example.test/c:1')
    assert.equal(await field('deploy/web', '{.metadata.annotations.deployment\\.kubernetes\\.io/revision}'), '3')
    await kubectl('scale', 'deploy/web', '--replicas=5')
    await rolledOut()
    await kubectl('rollout', 'pause', 'deploy/web')
    await kubectl('set', 'image', 'deploy/web', 'c=example.test/c:3')
    await kubectl('rollout', 'resume', 'deploy/web')
    await rolledOut()
    assert.equal(await field('deploy/web', '{.status.updatedReplicas}/{.status.availableReplicas}'), '5/5')
    assert.equal((await cluster().names(NAMESPACE, 'rs')).length, 3)
    assert.match(
      await kubectl('get', 'events'),
      /ScalingReplicaSet +deployment\/web +Scaled up replica set web-\w+ from 0 to 3/,
    )
  })

  test('a rollout that stands still says so', async () => {
    const { kubectl } = bind(cluster())
    const template = {
      metadata: { labels: { app: 'stuck', stays: 'Pending' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    }
    await cluster().create(workload('Deployment', NAMESPACE, 'stuck', { progressDeadlineSeconds: 2, template }))
    await kubectl('wait', 'deploy/stuck', '--for=condition=Progressing=false', '--timeout=20s')
  })

  test('a ReplicaSet adopts a pod that fits, and lets go of one that fits no longer', async () => {
    const { kubectl, field } = bind(cluster())
    await kubectl('run', 'orphan', '--image=example.test/c:1', '--labels=app=set')
    await cluster().create(workload('ReplicaSet', NAMESPACE, 'set', { replicas: 2 }))
    await cluster().untilField([NAMESPACE, 'rs/set'], '{.status.readyReplicas}', '2')
    assert.equal(await field('pod/orphan', '{.metadata.ownerReferences[*].kind}'), 'ReplicaSet')
    await kubectl('label', 'pod', 'orphan', '--overwrite', 'app=other')
    await cluster().untilField([NAMESPACE, 'pod/orphan'], '{.metadata.ownerReferences}', '')
    await cluster().eventually(
      'two pods again',
      async () => (await cluster().names(NAMESPACE, 'pod', '-l', 'app=set')).length === 2,
    )
  })

  test('a ReplicationController keeps its pods', async () => {
    const spec = {
      replicas: 2,
      selector: { app: 'rc' },
      template: { metadata: { labels: { app: 'rc' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    }
    await cluster().create({
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'rc', namespace: NAMESPACE },
      spec,
    })
    await cluster().untilField([NAMESPACE, 'rc/rc'], '{.status.readyReplicas}', '2')
  })

  test('a StatefulSet comes up in order, each pod with its claim bound, rolls over and shrinks from the end', async () => {
    const { kubectl, field } = bind(cluster())
    await cluster().create(
      ...['v1', 'v2', 'v3'].map(volume),
      storageClass,
      workload('StatefulSet', NAMESPACE, 'db', statefulSet),
    )
    await kubectl('rollout', 'status', 'sts/db', '--timeout=30s')
    assert.deepEqual(await cluster().names(NAMESPACE, 'pod', '-l', 'app=db'), ['db-0', 'db-1', 'db-2'])
    const starts = (await field('pod -l app=db', '{range .items[*]}{.metadata.name} {.status.startTime} {end}'))
      .trim()
      .split(' ')
    assert.deepEqual(
      starts.filter((_, index) => index % 2 === 1),
      starts.filter((_, index) => index % 2 === 1).toSorted(),
    )
    assert.equal(await field('pvc', '{.items[*].status.phase}'), 'Bound Bound Bound')
    await kubectl('set', 'image', 'sts/db', 'c=example.test/c:2')
    await kubectl('rollout', 'status', 'sts/db', '--timeout=30s')
    assert.equal((await cluster().names(NAMESPACE, 'controllerrevision', '-l', 'app=db')).length, 2)
    await kubectl('scale', 'sts/db', '--replicas=1')
    await cluster().eventually(
      'one pod',
      async () => (await cluster().names(NAMESPACE, 'pod', '-l', 'app=db')).join() === 'db-0',
    )
    await cluster().eventually(
      'claims go with the pods',
      async () => (await cluster().names(NAMESPACE, 'pvc')).join() === 'data-db-0',
    )
  })

  test('a DaemonSet has a pod on each node that fits, also on a new one', async () => {
    const { kubectl, field } = bind(cluster())
    await cluster().create(workload('DaemonSet', NAMESPACE, 'agent'))
    await kubectl('rollout', 'status', 'ds/agent', '--timeout=30s')
    const where = await field('pod -l app=agent', '{.items[*].spec.nodeName}')
    assert.deepEqual(where.split(' ').toSorted(), ['sim-1', 'sim-2'])
    await kubectl('set', 'image', 'ds/agent', 'c=example.test/c:2')
    await kubectl('rollout', 'status', 'ds/agent', '--timeout=30s')
    await kubectl('rollout', 'undo', 'ds/agent')
    await kubectl('rollout', 'status', 'ds/agent', '--timeout=30s')
  })

  test('helm installs, upgrades and rolls back, and each time waits until all is ready', async () => {
    const helm = (...args: string[]): Promise<string> => cluster().helm('--namespace', NAMESPACE, ...args)
    await helm('install', 'demo', CHART, '--wait', '--timeout=30s')
    await helm('upgrade', 'demo', CHART, '--set=replicas=2', '--set=greeting=changed', '--wait', '--timeout=30s')
    await helm('rollback', 'demo', '1', '--wait', '--timeout=30s')
    assert.match(await helm('status', 'demo'), /STATUS: deployed\nREVISION: 3/)
    await helm('uninstall', 'demo', '--wait', '--timeout=30s')
  })

  test('a Service has slices and Endpoints; Endpoints without a selector are mirrored', async () => {
    const { kubectl, field } = bind(cluster())
    await kubectl('expose', 'deploy/web', '--port=80', '--target-port=8080')
    await cluster().eventually(
      'five addresses',
      async () =>
        (
          await field('endpointslice -l kubernetes.io/service-name=web', '{.items[*].endpoints[*].conditions.ready}')
        ).split(' ').length === 5,
    )
    await cluster().eventually(
      'Endpoints',
      async () => (await field('endpoints/web', '{.subsets[*].addresses[*].ip}')).split(' ').length === 5,
    )
    const metadata = { name: 'outside', namespace: NAMESPACE }
    await cluster().create(
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata,
        subsets: [{ addresses: [{ ip: '192.0.2.77' }], ports: [{ port: 80 }] }],
      },
    )
    await cluster().eventually(
      'mirrored',
      async () =>
        (await field(
          'endpointslice -l endpointslice.kubernetes.io/managed-by=endpointslicemirroring-controller.k8s.io',
          '{.items[*].endpoints[*].addresses[0]}',
        )) === '192.0.2.77',
    )
  })
}

const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'by-hand' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
}

function volume(name: string): object {
  const spec = {
    storageClassName: 'by-hand',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: `/srv/${name}` },
  }
  return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec }
}

const statefulSet = {
  replicas: 3,
  serviceName: 'db',
  persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' },
  volumeClaimTemplates: [
    {
      metadata: { name: 'data' },
      spec: {
        storageClassName: 'by-hand',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
      },
    },
  ],
}

function bind(cluster: UpstreamCluster) {
  return {
    kubectl: (...args: string[]) => cluster.kubectl('-n', NAMESPACE, ...args),
    field: (target: string, jsonpath: string) => cluster.field(NAMESPACE, target, jsonpath),
  }
}
