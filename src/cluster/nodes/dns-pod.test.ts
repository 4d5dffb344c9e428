/** The DNS pod of a node: what clients find in its manifest, and when its container runs, is ready and ends. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import type { ClusterView } from '#addons/dns/records.ts'
import { staticPodOf } from '#worker-node/kubelet/static-pods/read-manifests.ts'
import { qosClassOf } from '#worker-node/kubelet/pods/pod-facts.ts'
import { makeDnsPod, type DnsPodOptions } from './dns-pod.ts'

const view: ClusterView = {
  service: (namespace, name) =>
    `${namespace}/${name}` === 'default/kubernetes'
      ? {
          metadata: { name, namespace, uid: '1', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
          spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] },
        }
      : undefined,
  hasNamespace: () => true,
  slices: () => [],
  servicesByIp: () => [],
  slicesByIp: () => [],
}

/** On addresses that only this machine has; the port must be a free one, for 53 is not. */
async function optionsWith(change: Partial<DnsPodOptions> = {}): Promise<DnsPodOptions> {
  const socket = createSocket('udp4').bind(0, '127.0.0.5')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return {
    nodeIp: '127.0.0.6',
    clusterDns: '127.0.0.5',
    clusterDomain: 'cluster.local',
    resolvConf: '/dev/null',
    port,
    view,
    synced: () => Promise.resolve(),
    addLocalAddress: () => Promise.resolve(),
    clock: new SystemClock(),
    random: new SeededRandom(1),
    ...change,
  }
}

test('the manifest is what users and the Service look for', async () => {
  const pod = staticPodOf(makeDnsPod(await optionsWith()).manifest, 'n1', 0)
  assert.deepEqual([pod.metadata.namespace, pod.metadata.name], ['kube-system', 'coredns-n1'])
  assert.deepEqual(pod.metadata.labels, { 'k8s-app': 'kube-dns' })
  assert.deepEqual([pod.spec.hostNetwork, pod.spec.priorityClassName], [true, 'system-node-critical'])
  const [container] = pod.spec.containers
  assert.deepEqual(
    container!.ports!.map(({ name, containerPort, protocol }) => `${name} ${containerPort}/${protocol}`),
    ['dns 53/UDP', 'dns-tcp 53/TCP'],
  )
  assert.equal(qosClassOf(pod), 'Burstable')
})

test('the program waits for the cluster, answers on both addresses, and frees them at its end', async () => {
  const synced = Promise.withResolvers<void>()
  const local: string[] = []
  const { programs } = makeDnsPod(
    await optionsWith({ synced: () => synced.promise, addLocalAddress: async (address) => void local.push(address) }),
  )
  const program = programs['coredns']!
  for (let run = 0; run < 2; run++) {
    const stop = new AbortController()
    const running = program.run(NO_LOG, stop.signal)
    const probe = program.probe(['query-itself'], stop.signal)
    synced.resolve()
    assert.equal(await probe, 'kubernetes.default.svc.cluster.local 10.96.0.1')
    stop.abort()
    await running
  }
  assert.deepEqual(local, ['127.0.0.5', '127.0.0.5'])
})

test('a program that is stopped before the cluster is known never listens', async () => {
  const { programs } = makeDnsPod(
    await optionsWith({
      synced: () => new Promise(() => {}),
      addLocalAddress: () => assert.fail('it was to listen'),
    }),
  )
  const stop = new AbortController()
  const running = programs['coredns']!.run(NO_LOG, stop.signal)
  stop.abort()
  await running
})

test('a taken address is the end of the run', async () => {
  const options = await optionsWith()
  const taken = createSocket('udp4').bind(options.port, options.nodeIp)
  await once(taken, 'listening')
  try {
    await assert.rejects(
      makeDnsPod(options).programs['coredns']!.run(NO_LOG, new AbortController().signal),
      /EADDRINUSE/,
    )
  } finally {
    taken.close()
  }
})
