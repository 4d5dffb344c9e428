/** Pods that the kubelet hosts in its own process: started, watched, logged and restarted like any other, and shown as mirror pods. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { NO_LOG, type Logger } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { startHarness, type Harness } from '../testing/harness.ts'
import { staticPodOf } from '../static-pods/read-manifests.ts'
import { formatEntry } from './container-log.ts'
import { HostedContainers } from './hosted-containers.ts'
import type { HostedPod, HostedProgram } from './hosted-pod.ts'

const IMAGE = 'kubets.internal/echo:v1'

/** Runs until it is told to break; healthy as long as the test says so. */
class EchoProgram implements HostedProgram {
  runs = 0
  isHealthy = true
  isRunning = false
  break: (error: Error) => void = () => {}

  async run(log: Logger, signal: AbortSignal): Promise<void> {
    assert.equal(this.isRunning, false, 'never twice at once')
    this.isRunning = true
    log.info(`run ${++this.runs}`, { port: 53 })
    const broken = Promise.withResolvers<void>()
    this.break = broken.reject
    signal.addEventListener('abort', () => broken.resolve(), { once: true })
    await broken.promise.finally(() => (this.isRunning = false))
  }

  probe(command: readonly string[]): Promise<string> {
    return this.isHealthy ? Promise.resolve(`well: ${command.join(' ')}`) : Promise.reject(new Error('ill'))
  }
}

function echoPod(program: HostedProgram): HostedPod {
  const probe = { exec: { command: ['ask'] }, periodSeconds: 1, failureThreshold: 2 }
  const manifest: Draft<Pod> = {
    kind: 'Pod',
    metadata: { name: 'echo', namespace: 'kube-system', labels: { app: 'echo' } },
    spec: {
      hostNetwork: true,
      containers: [
        { name: 'main', image: IMAGE, readinessProbe: probe, livenessProbe: { ...probe, failureThreshold: 5 } },
      ],
    },
  }
  return { manifest: { file: 'echo', text: JSON.stringify(manifest) }, programs: { main: program } }
}

type Hosted = {
  readonly harness: Harness
  readonly program: EchoProgram
  mirror(): Pod | undefined
  until: Harness['until']
}

async function start(t: TestContext): Promise<Hosted> {
  const program = new EchoProgram()
  const harness = await startHarness({}, { hostedPods: [echoPod(program)] })
  t.after(() => harness.stop())
  const mirror = (): Pod | undefined => harness.api.peek(PODS, 'kube-system', 'echo-n1')
  await harness.until('the pod is ready', () => isReady(mirror()))
  return { harness, program, mirror, until: harness.until }
}

const isReady = (pod: Pod | undefined): boolean => pod?.status?.containerStatuses?.[0]?.ready === true
const restarts = (pod: Pod | undefined): number => pod?.status?.containerStatuses?.[0]?.restartCount ?? 0

test('a hosted pod runs beside the runtime, and its mirror tells the truth about it', async (t) => {
  const { harness, program, mirror } = await start(t)
  const pod = mirror()!
  const [status] = pod.status!.containerStatuses!
  assert.equal(
    pod.metadata.annotations?.['kubernetes.io/config.mirror'],
    pod.metadata.annotations?.['kubernetes.io/config.hash'],
  )
  assert.deepEqual(
    [pod.status?.phase, pod.status?.podIP, pod.status?.hostIP],
    ['Running', '192.168.0.2', '192.168.0.2'],
  )
  assert.match(status!.containerID!, /^kubets:\/\/[0-9a-f]{64}$/)
  assert.deepEqual([status!.image, status!.imageID], [IMAGE, `kubets://${IMAGE}`])
  assert.equal(program.runs, 1)
  assert.deepEqual(harness.runtime.calls, [])
})

test('readiness follows the program, and a program that stays ill is started anew', async (t) => {
  const { program, mirror, until } = await start(t)
  program.isHealthy = false
  await until('it is not ready', () => !isReady(mirror()))
  assert.equal(restarts(mirror()), 0)
  await until('it was started again', () => restarts(mirror()) === 1)
  program.isHealthy = true
  await until('it is ready again', () => isReady(mirror()))
  assert.equal(program.runs, 2)
})

test('a program that breaks is counted and started again, and its log stays readable', async (t) => {
  const { harness, program, mirror, until } = await start(t)
  program.break(new Error('the socket is gone'))
  await until('it was started again', () => restarts(mirror()) === 1 && isReady(mirror()))
  const last = mirror()!.status!.containerStatuses![0]!.lastState!.terminated!
  assert.deepEqual([last.exitCode, last.reason], [1, 'Error'])
  const { uid } = harness.kubelet.pods().find(({ metadata }) => metadata.name === 'echo-n1')!.metadata
  const folder = join(harness.rootDir, 'logs', `kube-system_echo-n1_${uid}`, 'main')
  const lines = (await readFile(join(folder, '0.log'), 'utf8')).trimEnd().split('\n')
  assert.equal(lines.length, 2)
  assert.match(lines[0]!, /^\S+T\S+\.\d{9}Z stdout F INFO run 1 port=53$/)
  assert.match(lines[1]!, /^\S+ stderr F ERROR ended error="the socket is gone"$/)
})

test('a kubelet that comes back takes the pod over as the same one, with one restart more', async (t) => {
  const { harness, program, mirror, until } = await start(t)
  const { uid } = mirror()!.metadata
  await harness.restart()
  await until('it runs again', () => restarts(mirror()) === 1 && isReady(mirror()))
  assert.equal(mirror()!.metadata.uid, uid)
  assert.equal(program.runs, 2)
  assert.equal(mirror()!.status!.containerStatuses![0]!.lastState!.terminated!.reason, 'Completed')
})

test('a deleted mirror comes back while the program goes on', async (t) => {
  const { harness, program, mirror, until } = await start(t)
  const { uid } = mirror()!.metadata
  await harness.api.delete(PODS, 'kube-system', 'echo-n1', { gracePeriodSeconds: 0 })
  await until('there is a new mirror', () => isReady(mirror()) && mirror()!.metadata.uid !== uid)
  assert.equal(program.runs, 1)
})

test('what a process left running is found as ended with it, and strangers are not hosted', async (t) => {
  const { harness, mirror } = await start(t)
  const pod = staticPodOf(echoPod(new EchoProgram()).manifest, 'n1', 0)
  const after = new HostedContainers({
    pods: [{ pod, programs: {} }],
    path: join(harness.rootDir, 'hosted-pods.json'),
    clock: new VirtualClock(),
    log: NO_LOG,
    onExit: () => assert.fail('nothing runs here'),
  })
  await after.start()
  const [container] = await after.listContainers(pod.metadata.uid)
  const found = await after.containerStatus(container!.id)
  assert.deepEqual([found?.state, found?.exitCode, found?.reason], ['exited', 255, 'Unknown'])
  assert.equal(`kubets://${container!.id}`, mirror()!.status!.containerStatuses![0]!.containerID)
  assert.equal(after.hosts('another'), false)
  for (const refused of [
    after.exec(container!.id),
    after.attach(container!.id),
    after.portForward(container!.sandboxId),
  ])
    await assert.rejects(refused, /runs inside the node agent/)
  const probe = await after.execSync(container!.id, ['ask'], 1)
  assert.deepEqual([probe.exitCode, probe.stdout.toString()], [1, 'not running'])
})

test('log entries are one line of text with their fields behind', () => {
  assert.equal(formatEntry('warn', 'lost', { of: 3, who: 'a b', list: ['x'] }), 'WARN lost of=3 who="a b" list=["x"]')
})
