/** What runs inside the scratch node: the runtime's suite on the real containerd, then the kubelet on it. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import https from 'node:https'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { WebSocket } from 'ws'
import { SystemClock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import { runCommand } from '#base/run-command.ts'
import type { ContainerStatus, Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import { createAuthority, issueCertificate } from '#cluster/certificates/authority.ts'
import { selectCgroupManager } from '#worker-node/kubelet/cgroups/select-cgroup-manager.ts'
import { createKubelet } from '#worker-node/kubelet/kubelet.ts'
import type { Kubelet } from '#worker-node/kubelet/kubelet-options.ts'
import { CriRuntime } from '#worker-node/kubelet/runtime/cri/cri-runtime.ts'
import { runRuntimeSuite } from '#worker-node/kubelet/runtime/testing/suite.ts'
import { FakeApi } from '#worker-node/kubelet/testing/fake-api.ts'
import { LinuxMounter } from '#worker-node/kubelet/volumes/linux-mounter.ts'
import { HostPorts } from '#worker-node/network/host-ports/host-ports.ts'
import { BUSYBOX } from './test-images.ts'

const HOST_PORT = 9080
/** An address of the node beside loopback. */
const NODE_ADDRESS = '172.31.99.1'

const folder = process.env['SCRATCH']!
const rootDir = join(folder, 'kubelet')
const podLogsDir = join(folder, 'logs')
const runtime = new CriRuntime('/run/containerd/containerd.sock')

async function until(what: string, condition: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail(`never happened: ${what}`)
}

runRuntimeSuite({
  name: 'containerd',
  open: () => Promise.resolve(runtime),
  image: BUSYBOX,
  logDirectory: join(folder, 'suite-logs'),
  until: (condition) => until('what the suite waits for', condition),
})

const clock = new SystemClock()
const api = new FakeApi()
const authority = await createAuthority('test', clock)
const serving = await issueCertificate(authority, { commonName: 'n1', hosts: ['127.0.0.1'], usages: ['server'] }, clock)
const admin = await issueCertificate(
  authority,
  { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'], usages: ['client'] },
  clock,
)
const tls = { ca: authority.certificate, cert: admin.certificate, key: admin.privateKey }

const problems: string[] = []
const LOG: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => void problems.push(`${message} ${JSON.stringify(fields)}`),
  error: (message, fields) => void problems.push(`${message} ${JSON.stringify(fields)}`),
  child: () => LOG,
}

async function makeKubelet(): Promise<Kubelet> {
  return createKubelet({
    client: api,
    nodeName: 'n1',
    runtime,
    rootDir,
    podLogsDir,
    clock,
    random: new SystemRandom(),
    log: LOG,
    events: { event: () => {} },
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    clusterDns: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    cgroups: await selectCgroupManager(),
    mounter: new LinuxMounter(),
    hostPorts: new HostPorts({ reserved: [], log: LOG }),
    server: {
      address: '127.0.0.1',
      port: 0,
      certificate: serving.certificate,
      privateKey: serving.privateKey,
      clientCa: authority.certificate,
    },
  })
}

const pod = (name = 'two'): Pod | undefined => api.peek(PODS, 'default', name)
const isReady = (name?: string): boolean =>
  pod(name)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
const containerIds = (): (string | undefined)[] =>
  (pod()?.status?.containerStatuses ?? []).map((one) => one.containerID)

const script = (text: string): { image: string; command: string[] } => ({
  image: BUSYBOX,
  command: ['sh', '-c', text],
})

function twoContainers(): Pod {
  const volumeMounts = [{ name: 'shared', mountPath: '/shared' }]
  const memory = { name: 'memory', mountPath: '/memory' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'two',
      namespace: 'default',
      uid: 'two-uid',
      resourceVersion: '',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      nodeName: 'n1',
      terminationGracePeriodSeconds: 2,
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      ],
      containers: [
        {
          name: 'writer',
          ...script(
            'echo begun; echo data > /shared/file; trap "echo ended; exit 0" TERM; while true; do sleep 0.1; done',
          ),
          volumeMounts: [...volumeMounts, memory],
          readinessProbe: { exec: { command: ['cat', '/shared/file'] }, periodSeconds: 1 },
          resources: { limits: { cpu: '500m', memory: '64Mi' } },
        },
        {
          name: 'web',
          ...script(
            'echo page > /shared/index.html; trap "exit 0" TERM; httpd -p 8080 -h /shared; while true; do sleep 0.1; done',
          ),
          volumeMounts,
          ports: [{ containerPort: 8080, hostPort: HOST_PORT, protocol: 'TCP' }],
          readinessProbe: { httpGet: { path: '/index.html', port: 8080 }, periodSeconds: 1 },
          env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      ],
    },
    status: { phase: 'Pending' },
  }
}

let kubelet = await makeKubelet()

// Also after a failure: a kubelet that runs on would keep this program, and with it the node, alive.
after(async () => {
  await kubelet.stop()
  runtime.close()
})

function get(path: string): Promise<{ readonly code: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    https
      .get(`https://127.0.0.1:${kubelet.port}${path}`, tls, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
      })
      .on('error', reject)
  })
}

/** As kubectl does it: channels of the WebSocket protocol v5. */
async function exec(container: string, command: readonly string[], input?: string): Promise<Record<number, string>> {
  const query = new URLSearchParams([
    ...command.map((word): [string, string] => ['command', word]),
    ...(input === undefined ? [] : [['input', '1'] as [string, string]]),
    ['output', '1'],
    ['error', '1'],
  ])
  const url = `wss://127.0.0.1:${kubelet.port}/exec/default/two/${container}?${query.toString()}`
  const socket = new WebSocket(url, ['v5.channel.k8s.io'], tls)
  const channels: Record<number, string> = {}
  socket.on('message', (data: Buffer) => {
    channels[data[0]!] = (channels[data[0]!] ?? '') + data.subarray(1).toString()
  })
  const closed = new Promise((resolve, reject) => {
    socket.on('close', resolve)
    socket.on('error', reject)
  })
  await new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  if (input !== undefined) {
    socket.send(Buffer.from(`\0${input}`))
    socket.send(Buffer.from([255, 0]))
  }
  await closed
  return channels
}

test('a pod of two containers shares a volume and becomes ready by its probes', async () => {
  await kubelet.start()
  await api.create(PODS, twoContainers())
  await until('the pod is ready', () => isReady())
  assert.equal(pod()?.status?.phase, 'Running')
  assert.match(pod()?.status?.podIP ?? '', /^10\.250\.0\./)
  const cgroup = '/kubepods/burstable/podtwo-uid'
  const usage = await (await selectCgroupManager()).usage(cgroup)
  assert.ok(usage && usage.memoryUsageBytes > 0, 'the pod has a cgroup of its own')
})

test('commands run inside, with input, errors and exit codes', async () => {
  const catted = await exec('web', ['cat'], 'from outside')
  assert.deepEqual([catted[1], JSON.parse(catted[3] ?? '{}').status], ['from outside', 'Success'])
  const failed = await exec('web', ['sh', '-c', 'echo $NAME; echo oops >&2; exit 7'])
  assert.deepEqual([failed[1], failed[2]], ['two\n', 'oops\n'])
  const status = JSON.parse(failed[3] ?? '{}') as { reason?: string; details?: { causes?: object[] } }
  assert.equal(status.reason, 'NonZeroExitCode')
  assert.deepEqual(status.details?.causes, [{ reason: 'ExitCode', message: '7' }])
  const full = await exec('writer', ['dd', 'if=/dev/zero', 'of=/memory/x', 'bs=1024', 'count=2000'])
  assert.match(full[2] ?? '', /No space left on device/)
})

/** What the kubelet answers to a SPDY client whose connection it does not take over. */
function refusal(path: string): Promise<{ readonly code: number; readonly body: string }> {
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
  return new Promise((resolve, reject) => {
    const request = https.request(`https://127.0.0.1:${kubelet.port}${path}`, { ...tls, method: 'POST', headers })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
    })
    request.on('upgrade', () => reject(new Error(`${path} was upgraded`)))
    request.on('error', reject)
    request.end()
  })
}

test('into what does not run nobody is let, in words that kubectl reads as a text', async () => {
  const missing = [
    ['/exec/default/two/none?command=true&output=1', 500, 'container not found ("none")'],
    ['/attach/default/two/none?output=1', 500, 'container none not found in pod two_default'],
    ['/exec/default/none/main?command=true&output=1', 404, 'pod does not exist'],
    ['/portForward/default/none', 404, 'pod does not exist'],
  ] as const
  for (const [path, code, body] of missing) assert.deepEqual(await refusal(path), { code, body })
})

/** What the web server answers at the host port of `address`, asked from the node; the error's code when nobody does. */
async function askHostPort(address: string): Promise<string> {
  try {
    return await (await fetch(`http://${address}:${HOST_PORT}/index.html`, { headers: { connection: 'close' } })).text()
  } catch (error) {
    return ((error as Error).cause as NodeJS.ErrnoException).code ?? ''
  }
}

test('a host port answers on every address of the node, for the node and for the pod itself', async () => {
  await runCommand('ip', ['addr', 'add', `${NODE_ADDRESS}/32`, 'dev', 'lo'])
  for (const address of ['127.0.0.1', NODE_ADDRESS]) assert.equal(await askHostPort(address), 'page\n')
  const fetched = await exec('writer', ['wget', '-qO-', `http://${NODE_ADDRESS}:${HOST_PORT}/index.html`])
  assert.equal(fetched[1], 'page\n')
})

/** Quota in microseconds and memory limit in bytes of a group, from the kernel's own files. */
async function limitsOf(group: string): Promise<readonly [number, number]> {
  const root = '/sys/fs/cgroup'
  const read = async (path: string): Promise<number> =>
    Number((await readFile(`${root}/${path}`, 'utf8')).split(' ')[0])
  if (existsSync(`${root}/cgroup.controllers`))
    return [await read(`${group}/cpu.max`), await read(`${group}/memory.max`)]
  return [await read(`cpu/${group}/cpu.cfs_quota_us`), await read(`memory/${group}/memory.limit_in_bytes`)]
}

test('a resize reaches the cgroups of the pod and its container, both ways, without a restart', async () => {
  const sized = (cpu: string, memory: string, generation: number): Pod => {
    const { spec: _, ...rest } = pod('sized') ?? twoContainers()
    const limits = { cpu, memory }
    return {
      ...rest,
      metadata: { ...rest.metadata, name: 'sized', uid: 'sized-uid', generation },
      spec: {
        nodeName: 'n1',
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', ...script('sleep 1000'), resources: { limits, requests: limits } }],
      },
    }
  }
  const status = (): ContainerStatus | undefined => pod('sized')?.status?.containerStatuses?.[0]
  const inForce = (cpu: string): boolean =>
    status()?.resources?.limits?.['cpu'] === cpu && pod('sized')?.status?.observedGeneration !== undefined
  await api.create(PODS, sized('200m', '64Mi', 1))
  await until('it runs', () => isReady('sized'))
  const group = 'kubepods/podsized-uid'
  const id = status()!.containerID!.replace(/^.*:\/\//, '')
  for (const [cpu, memory, generation] of [
    ['400m', 128, 2],
    ['100m', 32, 3],
  ] as const) {
    await api.update(PODS, sized(cpu, `${memory}Mi`, generation))
    await until(`${cpu} are in force`, () => inForce(cpu))
    const wanted = [Number.parseInt(cpu, 10) * 100, memory * 2 ** 20]
    assert.deepEqual(await limitsOf(`${group}/${id}`), wanted, 'container')
    await until('the pod follows', async () => (await limitsOf(group)).join(' ') === wanted.join(' '))
  }
  assert.equal(status()?.restartCount, 0)
  await api.delete(PODS, 'default', 'sized', { gracePeriodSeconds: 1 })
  await until('it is gone', () => pod('sized') === undefined)
})

test('logs and pods are served, strangers are not', async () => {
  assert.deepEqual(await get('/containerLogs/default/two/writer'), { code: 200, body: 'begun\n' })
  assert.equal((await get('/containerLogs/default/two/writer?previous=true')).code, 400)
  assert.match((await get('/pods')).body, /"name":"two"/)
  assert.match((await get('/stats/summary')).body, /"podRef":{"name":"two"/)
  const stranger = await new Promise<number>((resolve, reject) => {
    const options = { ca: authority.certificate }
    https
      .get(`https://127.0.0.1:${kubelet.port}/pods`, options, (response) => resolve(response.statusCode ?? 0))
      .on('error', reject)
  })
  assert.equal(stranger, 401)
})

test('a restarted kubelet restarts nothing', async () => {
  const before = containerIds()
  await kubelet.stop()
  assert.equal(await askHostPort(NODE_ADDRESS), 'page\n', 'host ports live on without the kubelet')
  kubelet = await makeKubelet()
  await kubelet.start()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.deepEqual(containerIds(), before)
  assert.equal(isReady(), true)
  assert.equal(await askHostPort(NODE_ADDRESS), 'page\n')
})

test('a container that dies is noticed and replaced within a second', async () => {
  const [, web] = containerIds()
  const beganMs = Date.now()
  await runCommand('ctr', ['-n', 'k8s.io', 'task', 'kill', '-s', '9', web!.replace(/^.*:\/\//, '')])
  await until(
    'it runs again',
    () =>
      pod()?.status?.containerStatuses?.[1]?.restartCount === 1 &&
      pod()?.status?.containerStatuses?.[1]?.state?.running !== undefined,
  )
  assert.ok(Date.now() - beganMs < 1000, `took ${Date.now() - beganMs} ms`)
  assert.equal(pod()?.status?.containerStatuses?.[1]?.lastState?.terminated?.exitCode, 137)
})

test('a deleted pod gets its signal, ends, and leaves nothing on the node', async () => {
  const follow = get('/containerLogs/default/two/writer?follow=true')
  await api.delete(PODS, 'default', 'two', {})
  await until('the pod is gone', () => pod() === undefined)
  assert.equal((await follow).body, 'begun\nended\n')
  assert.equal(await askHostPort(NODE_ADDRESS), 'ECONNREFUSED')
  await until('its containers are gone', async () => (await runtime.listContainers()).length === 0)
  await until('its sandbox is gone', async () => (await runtime.listPodSandboxes()).length === 0)
  await until(
    'its files are gone',
    async () => (await readdir(join(rootDir, 'pods'))).length + (await readdir(podLogsDir)).length === 0,
  )
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter((line) => line.includes('two-uid'))
  assert.deepEqual(mounts, [])
  const groups = await (await selectCgroupManager()).children('/kubepods/burstable')
  assert.deepEqual(groups, [])
  assert.deepEqual(problems, [])
})
