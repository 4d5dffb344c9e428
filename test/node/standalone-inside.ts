/** What runs inside the scratch node: `bin/kubelet.ts` and `kubets api` as processes, started, killed and ended. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Node, Pod, ServiceAccount } from '#api/core/v1.gen.ts'
import { NODES, PODS, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { CriRuntime } from '#worker-node/kubelet/runtime/cri/cri-runtime.ts'
import { BUSYBOX } from './test-images.ts'

const folder = process.env['SCRATCH']!
const kubeconfig = join(folder, 'api.kubeconfig')
const manifests = join(folder, 'manifests')
const runtime = new CriRuntime('/run/containerd/containerd.sock')
const bin = (name: string): string => fileURLToPath(new URL(`../../bin/${name}`, import.meta.url))

/** A program of ours with what it said. */
type Running = { readonly child: ChildProcess; readonly ended: Promise<number | null>; output: string }

const all: Running[] = []
after(() => all.forEach(({ child }) => child.kill('SIGKILL')))

function start(program: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [bin(program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const running: Running = { child, ended, output: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (running.output += chunk.toString()))
  all.push(running)
  return running
}

function startKubelet(): Running {
  const flags = {
    kubeconfig,
    'node-ip': '127.0.0.1',
    'hostname-override': 'N1',
    'root-dir': join(folder, 'kubelet'),
    'pod-logs-dir': join(folder, 'logs'),
    'resolv-conf': '',
    'pod-manifest-path': manifests,
    'node-labels': 'disk=fast',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  return start('kubelet.ts', args)
}

async function until(what: string, condition: () => Promise<boolean>, limitMs = 10_000): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail(`never happened: ${what}\n${all.map(({ output }) => output).join('\n---\n')}`)
}

const podNamed = (name: string): Draft<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: BUSYBOX, command: ['sleep', '1000'] }],
  },
})

let client: RestClient

async function startApi(): Promise<Running> {
  const api = start('kubets.ts', [
    'api',
    '--port',
    '6443',
    '--data-dir',
    join(folder, 'api'),
    '--kubeconfig',
    kubeconfig,
  ])
  await until('the API server answers', () => Promise.resolve(api.output.includes('API server at')))
  const config = await loadKubeconfig(kubeconfig)
  client = new RestClient(new HttpTransport({ config, clock: new SystemClock(), userAgent: 'test' }))
  return api
}

async function podOrNull(name: string): Promise<Pod | null> {
  try {
    return await client.get<Pod>(PODS, 'default', name)
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

const isRunning = async (name: string): Promise<boolean> => (await podOrNull(name))?.status?.phase === 'Running'
const containerIds = async (): Promise<string[]> =>
  (await runtime.listContainers())
    .filter(({ state }) => state === 'running')
    .map(({ id }) => id)
    .sort()

test('what it cannot work with it says in one line, and ends', async () => {
  await writeFile(join(folder, 'broken'), 'no: kubeconfig')
  const ip = ['--node-ip', '127.0.0.1']
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--bogus'], /^error: required option '--kubeconfig <file>' not specified$/],
    [['--kubeconfig', 'x', ...ip, '--bogus'], /^error: unknown option '--bogus'$/],
    [['--kubeconfig', 'x', '--node-ip', 'here'], /^error: option '--node-ip <address>' argument 'here' is invalid/],
    [['--kubeconfig', 'x', ...ip, '--max-pods', 'many'], /^error: option '--max-pods <number>' argument 'many'/],
    [['--kubeconfig', 'x', ...ip, '--tls-cert-file', 'x'], /^error: option '--tls-cert-file' needs '--tls-private/],
    [['--kubeconfig', '/none', ...ip], /^kubelet: cannot read kubeconfig \/none: ENOENT: no such file or directory/],
    [['--kubeconfig', join(folder, 'broken'), ...ip], /^kubelet: kubeconfig \S+: there is no "" in contexts$/],
  ]
  await Promise.all(
    wrong.map(async ([args, line]) => {
      const { ended, output } = await finished(start('kubelet.ts', args))
      assert.equal(ended, 1, output)
      assert.equal(output.trimEnd().split('\n').length, 1, output)
      assert.match(output.trimEnd(), line)
    }),
  )
})

async function finished(running: Running): Promise<{ readonly ended: number | null; readonly output: string }> {
  return { ended: await running.ended, output: running.output }
}

let kubelet: Running
let api: Running

test('a static pod and a bound one run', async () => {
  await mkdir(manifests)
  await writeFile(join(manifests, 'static.json'), JSON.stringify(podNamed('static')))
  api = await startApi()
  const account: Draft<ServiceAccount> = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  }
  await client.create(SERVICEACCOUNTS, account)
  kubelet = startKubelet()
  await until('the static pod runs', () => isRunning('static-n1'))
  const bound = podNamed('bound')
  await client.create(PODS, { ...bound, spec: { ...bound.spec, nodeName: 'n1' } })
  await until('the bound pod runs', () => isRunning('bound'))
  const node = await client.get<Node>(NODES, '', 'n1')
  assert.equal(node.metadata.labels?.['disk'], 'fast')
  assert.equal((await containerIds()).length, 2)
})

test('killed and started again it takes over what runs', async () => {
  const before = await containerIds()
  kubelet.child.kill('SIGKILL')
  assert.equal(await kubelet.ended, null)
  await client.delete(PODS, 'default', 'static-n1', { gracePeriodSeconds: 0 })
  const again = podNamed('later')
  await client.create(PODS, { ...again, spec: { ...again.spec, nodeName: 'n1' } })
  kubelet = startKubelet()
  await until('a pod that came meanwhile runs', () => isRunning('later'))
  await until('the static pod has a mirror again', () => isRunning('static-n1'))
  const now = await containerIds()
  assert.deepEqual(
    before.filter((id) => !now.includes(id)),
    [],
  )
  assert.equal(now.length, 3)
  for (const name of ['static-n1', 'bound'])
    assert.equal((await podOrNull(name))?.status?.containerStatuses?.[0]?.restartCount, 0, name)
})

test('it lives through an API server that goes and comes back', async () => {
  api.child.kill('SIGTERM')
  assert.equal(await api.ended, 0)
  const before = await containerIds()
  api = await startApi()
  await client.delete(PODS, 'default', 'later', { gracePeriodSeconds: 0 })
  await until('the pod is gone from the node', async () => (await containerIds()).length === before.length - 1)
})

test('it ends in order when it is told to, and leaves the pods running', async () => {
  const before = await containerIds()
  kubelet.child.kill('SIGTERM')
  assert.deepEqual(await finished(kubelet).then(({ ended }) => ended), 0, kubelet.output)
  assert.doesNotMatch(kubelet.output, /"level":"error"|at file:/)
  assert.deepEqual(await containerIds(), before)
})

test('without an API server it waits, says so, and ends when it is told to', async () => {
  api.child.kill('SIGKILL')
  await api.ended
  kubelet = startKubelet()
  await until('it says so', () => Promise.resolve(/node could not be registered/.test(kubelet.output)))
  assert.match(kubelet.output, /ECONNREFUSED 127\.0\.0\.1:6443/)
  assert.equal(kubelet.child.exitCode, null)
  kubelet.child.kill('SIGTERM')
  assert.equal(await kubelet.ended, 0, kubelet.output)
})
