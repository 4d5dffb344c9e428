/** Garbage collection, namespaces, silent and tainted nodes and ended pods, as upstream's controllers clean up. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { UpstreamCluster } from './cluster.ts'
import { podTemplate, simulatedNode, workload } from './objects.ts'

const NAMESPACE = 'lifecycle'
/** The collector looks every 20 s, waits 40 s for the node to come back, and looks again: 80 s at most, and a little for itself. */
const POD_COLLECTION_MS = 90_000

export function testLifecycle(cluster: () => UpstreamCluster): void {
  const kubectl = (...args: string[]): Promise<string> => cluster().kubectl('-n', NAMESPACE, ...args)
  const names = (kind: string, app: string): Promise<string[]> => cluster().names(NAMESPACE, kind, '-l', `app=${app}`)
  const untilGone = (kind: string, app: string): Promise<boolean> =>
    cluster().eventually(`no ${kind} of ${app}`, async () => (await names(kind, app)).length === 0)

  /** A Deployment with its ReplicaSet and pods. */
  async function deploy(name: string): Promise<void> {
    await cluster().create(workload('Deployment', NAMESPACE, name, { replicas: 2 }))
    await kubectl('rollout', 'status', `deploy/${name}`, '--timeout=30s')
  }

  test('background deletion takes the dependents along', async () => {
    await cluster().createNamespace(NAMESPACE)
    await deploy('background')
    await kubectl('delete', 'deploy', 'background', '--cascade=background')
    await untilGone('rs', 'background')
    await untilGone('pod', 'background')
  })

  test('foreground deletion ends with the owner', async () => {
    await deploy('foreground')
    await kubectl('delete', 'deploy', 'foreground', '--cascade=foreground', '--timeout=30s')
    assert.deepEqual(await names('rs', 'foreground'), [])
    assert.deepEqual(await names('pod', 'foreground'), [])
  })

  test('orphans stay, without their owner', async () => {
    await deploy('orphan')
    await kubectl('delete', 'deploy', 'orphan', '--cascade=orphan', '--timeout=30s')
    const [replicaSet] = await names('rs', 'orphan')
    assert.equal(await cluster().field(NAMESPACE, `rs/${replicaSet}`, '{.metadata.ownerReferences}'), '')
    assert.equal((await names('pod', 'orphan')).length, 2)
  })

  test('a namespace is deleted with all that is in it', async () => {
    await cluster().createNamespace('doomed')
    await cluster().create(
      workload('Deployment', 'doomed', 'web', { replicas: 2 }),
      workload('StatefulSet', 'doomed', 'db'),
    )
    await cluster().kubectl('-n', 'doomed', 'create', 'configmap', 'c')
    await cluster().kubectl('-n', 'doomed', 'rollout', 'status', 'deploy/web', '--timeout=30s')
    await cluster().kubectl('delete', 'namespace', 'doomed', '--timeout=30s')
    await assert.rejects(cluster().kubectl('get', 'namespace', 'doomed'), /not found/)
  })

  test('a finalizer holds a namespace, which says what remains', async () => {
    await cluster().createNamespace('held')
    const metadata = { name: 'c', namespace: 'held', finalizers: ['example.test/hold'] }
    await cluster().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
    await cluster().kubectl('delete', 'namespace', 'held', '--wait=false')
    const remaining = '{.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].message}'
    const told = 'Some content in the namespace has finalizers remaining: example.test/hold in 1 resource instances'
    await cluster().untilField(['', 'namespace/held'], remaining, told)
    await cluster().kubectl(
      '-n',
      'held',
      'patch',
      'configmap',
      'c',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/metadata/finalizers"}]',
    )
    await cluster().kubectl('wait', 'namespace/held', '--for=delete', '--timeout=30s')
  })

  test('a taint evicts the pods that do not tolerate it', async () => {
    await cluster().create(simulatedNode('sim-tainted', { evict: 'yes' }))
    const tolerations = [{ key: 'maintenance', operator: 'Exists' }]
    await cluster().create(
      pod('leaves', { nodeSelector: { evict: 'yes' } }),
      pod('tolerates', { nodeSelector: { evict: 'yes' }, tolerations }),
    )
    await kubectl('wait', 'pod/leaves', 'pod/tolerates', '--for=condition=Ready', '--timeout=30s')
    await kubectl('taint', 'node', 'sim-tainted', 'maintenance=now:NoExecute')
    await kubectl('wait', 'pod/leaves', '--for=delete', '--timeout=30s')
    assert.equal(await cluster().field(NAMESPACE, 'pod/tolerates', '{.status.phase}'), 'Running')
  })

  test('a silent node is Unknown and tainted, and its pods are told to go; its deletion takes them', async () => {
    await cluster().create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'silent', labels: { silent: 'yes' } } })
    const now = new Date().toISOString().replace(/\.\d+Z/, 'Z')
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    }
    const status = JSON.stringify({
      status: { conditions: [ready], allocatable: { pods: '5' }, capacity: { pods: '5' } },
    })
    await kubectl('patch', 'node', 'silent', '--subresource=status', '-p', status)
    const unreachable = 'node.kubernetes.io/unreachable'
    const tolerations = [{ key: unreachable, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 }]
    await cluster().create(pod('left', { nodeSelector: { silent: 'yes' }, tolerations }))
    await cluster().untilField([NAMESPACE, 'pod/left'], '{.spec.nodeName}', 'silent')
    await cluster().untilField(['', 'node/silent'], '{.status.conditions[?(@.type=="Ready")].status}', 'Unknown')
    await cluster().untilField(['', 'node/silent'], `{.spec.taints[?(@.effect=="NoExecute")].key}`, unreachable)
    await cluster().eventually('told to go', () =>
      cluster().field(NAMESPACE, 'pod/left', '{.metadata.deletionTimestamp}'),
    )
    assert.equal(
      await cluster().field(NAMESPACE, 'pod/left', '{.status.conditions[?(@.type=="DisruptionTarget")].reason}'),
      'DeletionByTaintManager',
    )
    await kubectl('delete', 'node', 'silent')
    await cluster().eventually(
      'its pod is collected',
      async () => (await cluster().names(NAMESPACE, 'pod', '--field-selector=spec.nodeName=silent')).length === 0,
      POD_COLLECTION_MS,
    )
  })

  test('nodes have their ranges of pod addresses', async () => {
    await cluster().eventually('ranges', async () => {
      const ranges = (await cluster().field('', 'node -l simulated=yes', '{.items[*].spec.podCIDR}')).split(' ')
      return (
        ranges.length >= 2 &&
        new Set(ranges).size === ranges.length &&
        ranges.every((range) => /^10\.64\.\d+\.0\/24$/.test(range))
      )
    })
  })

  function pod(name: string, spec: object): object {
    const template = podTemplate({ app: name }, spec)
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name, namespace: NAMESPACE },
      spec: template.spec,
    }
  }
}

/** Stands last: more pods have ended than are kept. */
export function testPodCollection(cluster: () => UpstreamCluster): void {
  test('of ended pods only as many stay as the threshold says', async () => {
    await cluster().eventually(
      'one ended pod',
      async () => {
        const ended = await cluster().kubectl(
          'get',
          'pod',
          '-A',
          '-o',
          'name',
          '--field-selector=status.phase!=Running,status.phase!=Pending',
        )
        return ended.split('\n').filter((line) => line !== '').length <= 1
      },
      45_000,
    )
  })
}
