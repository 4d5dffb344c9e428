/** Runs in an empty network namespace: bin/kube-proxy against an API server, its rules tried with real connections. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ENDPOINTSLICES, NODES, SERVICES } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { ApiServerProcess } from '../tools/api-server-process.ts'

const PROXY = new URL('../../bin/kube-proxy.ts', import.meta.url).pathname
const NODE = 'alone'
const NODE_ADDRESS = '192.0.2.10'
const POD_ADDRESS = '10.244.1.5'
const SERVICE = { clusterIp: '10.96.0.50', port: 80, nodePort: 30_080 }
const LIMIT_MS = 10_000
/** Before the rules are there a connection finds nobody; a busy machine answers late. */
const ATTEMPT_MS = 300
const clock = new SystemClock({ keepsProcessAlive: true })

const ip = (args: string): string => execFileSync('ip', args.split(' '), { encoding: 'utf8' })
const tables = (): string => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })

/** The answer's text, or the reason why there is none. Each time over a connection of its own: rules only meet new ones. */
function fetchText(address: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(`http://${address}/`, { agent: false, timeout: ATTEMPT_MS }, (answer) => resolve(text(answer)))
    request.once('timeout', () => request.destroy(new Error('no answer')))
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

async function expectAnswer(address: string, expected: string): Promise<void> {
  const deadline = clock.monotonic() + LIMIT_MS
  let answer = await fetchText(address)
  for (; answer !== expected && clock.monotonic() < deadline; answer = await fetchText(address)) await clock.sleep(50)
  assert.equal(answer, expected, address)
}

const running = new Set<ChildProcess>()

function start(kubeconfig: string): ChildProcess {
  const flags = ['--kubeconfig', kubeconfig, '--hostname-override', NODE, '--cluster-cidr=10.244.0.0/16']
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROXY, ...flags], {
    stdio: 'inherit',
  })
  running.add(child)
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  running.delete(child)
  child.kill(signal)
  return ((await once(child, 'exit')) as [number | null])[0]
}

/** A node with one pod behind one Service; the slice says whether the pod takes part. */
async function createObjects(client: RestClient): Promise<void> {
  const address = { type: 'InternalIP', address: NODE_ADDRESS } as const
  await client.create(NODES, { metadata: { name: NODE }, spec: { podCIDR: '10.244.1.0/24' } })
  await client.patch(NODES, '', NODE, 'merge', { status: { addresses: [address] } }, { subresource: 'status' })
  await client.create(SERVICES, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      type: 'NodePort',
      clusterIP: SERVICE.clusterIp,
      ports: [{ port: SERVICE.port, targetPort: 8080, nodePort: SERVICE.nodePort }],
    },
  })
  await client.create(ENDPOINTSLICES, {
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [POD_ADDRESS], conditions: { ready: true }, nodeName: NODE }],
    ports: [{ port: 8080, protocol: 'TCP', name: '' }],
  })
}

for (const command of [
  'link set lo up',
  'link add pods type veth peer name wire',
  'link set wire up',
  'link set pods up',
  `address add ${POD_ADDRESS}/32 dev pods`,
  `address add ${NODE_ADDRESS}/32 dev pods`,
  'route add default dev pods',
])
  ip(command)
const pod = createServer((_request, response) => response.end('from the pod')).listen(8080, POD_ADDRESS)
await once(pod, 'listening')
const folder = await mkdtemp(join(tmpdir(), 'kube-proxy-'))
const server = new ApiServerProcess(folder, 6443)
try {
  await server.start()
  const transport = new HttpTransport({ config: await loadKubeconfig(server.kubeconfig), clock, userAgent: 'test/1' })
  const client = new RestClient(transport)
  await createObjects(client)

  let proxy = start(server.kubeconfig)
  await expectAnswer(`${SERVICE.clusterIp}:${SERVICE.port}`, 'from the pod')
  await expectAnswer(`${NODE_ADDRESS}:${SERVICE.nodePort}`, 'from the pod')
  await client.patch(ENDPOINTSLICES, 'default', 'web-1', 'merge', { endpoints: [] })
  await expectAnswer(`${SERVICE.clusterIp}:${SERVICE.port}`, 'ECONNREFUSED')

  // Connections go on without it, and what changed meanwhile is caught up on.
  await end(proxy, 'SIGKILL')
  const endpoints = [{ addresses: [POD_ADDRESS], conditions: { ready: true }, nodeName: NODE }]
  await client.patch(ENDPOINTSLICES, 'default', 'web-1', 'merge', { endpoints })
  await expectAnswer(`${SERVICE.clusterIp}:${SERVICE.port}`, 'ECONNREFUSED')
  proxy = start(server.kubeconfig)
  await expectAnswer(`${SERVICE.clusterIp}:${SERVICE.port}`, 'from the pod')

  assert.equal(await end(proxy, 'SIGTERM'), 0)
  assert.match(tables(), /kubets_proxy/, 'the rules stay')
  await expectAnswer(`${SERVICE.clusterIp}:${SERVICE.port}`, 'from the pod')
  execFileSync(process.execPath, [PROXY, '--cleanup'], { stdio: 'inherit' })
  assert.doesNotMatch(tables(), /kubets_proxy/)
  execFileSync(process.execPath, [PROXY, '--cleanup'], { stdio: 'inherit' })
  await transport.close()
} finally {
  for (const child of running) child.kill('SIGKILL')
  await server.kill('SIGTERM')
  pod.close()
  await rm(folder, { recursive: true, force: true })
}
