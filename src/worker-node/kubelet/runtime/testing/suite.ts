/** The one test suite that every container runtime passes: the one in memory and real ones through CRI. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTAINER_NAME_LABEL, POD_NAME_LABEL, POD_NAMESPACE_LABEL, POD_UID_LABEL } from '../labels.ts'
import { NamespaceMode } from '../proto/cri_pb.ts'
import type { ContainerDetail, RuntimeService, SandboxConfig } from '../runtime-service.ts'

export type RuntimeSuiteOptions = {
  readonly name: string
  open(): Promise<RuntimeService>
  /** On the node already; has a `sleep`. */
  readonly image: string
  /** Where sandboxes write their logs. */
  readonly logDirectory: string
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>
}

export function runRuntimeSuite(options: RuntimeSuiteOptions): void {
  const { name, image, until } = options

  const sandboxFor = (uid: string): SandboxConfig => ({
    metadata: { name: `pod-${uid}`, namespace: 'suite', uid, attempt: 0 },
    logDirectory: options.logDirectory,
    labels: { [POD_NAME_LABEL]: `pod-${uid}`, [POD_NAMESPACE_LABEL]: 'suite', [POD_UID_LABEL]: uid },
    linux: {
      cgroupParent: `/suite/${uid}`,
      securityContext: {
        namespaceOptions: { network: NamespaceMode.NODE, pid: NamespaceMode.CONTAINER },
        seccomp: { profileType: 1 },
      },
    },
  })

  /** A sandbox with one sleeping container that runs. */
  async function startOne(runtime: RuntimeService, uid: string): Promise<{ sandbox: string; container: string }> {
    const config = sandboxFor(uid)
    const sandbox = await runtime.runPodSandbox(config, '')
    const labels = { ...config.labels, [CONTAINER_NAME_LABEL]: 'main' }
    const container = await runtime.createContainer(
      sandbox,
      {
        metadata: { name: 'main', attempt: 3 },
        image: { image },
        command: ['sleep', '1000'],
        labels,
        annotations: { note: 'kept' },
        logPath: 'main.log',
        linux: { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } },
      },
      config,
    )
    await runtime.startContainer(container)
    return { sandbox, container }
  }

  async function status(runtime: RuntimeService, id: string): Promise<ContainerDetail> {
    const detail = await runtime.containerStatus(id)
    assert.ok(detail, `container ${id} is gone`)
    return detail
  }

  test(`${name}: a container is created, runs, is stopped and removed`, async () => {
    const runtime = await options.open()
    const { sandbox, container } = await startOne(runtime, 'life')
    const running = await status(runtime, container)
    assert.deepEqual([running.state, running.name, running.attempt], ['running', 'main', 3])
    assert.equal(running.annotations['note'], 'kept')
    assert.ok(running.startedAtMs > 0)
    await runtime.stopContainer(container, 0)
    const stopped = await status(runtime, container)
    assert.deepEqual([stopped.state, stopped.exitCode > 128], ['exited', true])
    assert.ok(stopped.finishedAtMs >= running.startedAtMs)
    await runtime.stopPodSandbox(sandbox)
    assert.equal((await runtime.podSandboxStatus(sandbox))?.ready, false)
    await runtime.removePodSandbox(sandbox)
    assert.equal(await runtime.podSandboxStatus(sandbox), null)
    assert.equal(await runtime.containerStatus(container), null)
  })

  test(`${name}: lists are filtered by pod`, async () => {
    const runtime = await options.open()
    const [one, two] = [await startOne(runtime, 'one'), await startOne(runtime, 'two')]
    assert.deepEqual(
      (await runtime.listContainers('one')).map(({ id }) => id),
      [one.container],
    )
    assert.deepEqual(
      (await runtime.listPodSandboxes('two')).map(({ id, podUid, podNamespace }) => [id, podUid, podNamespace]),
      [[two.sandbox, 'two', 'suite']],
    )
    assert.equal((await runtime.listContainers()).length, 2)
    for (const { sandbox } of [one, two]) {
      await runtime.stopPodSandbox(sandbox)
      await runtime.removePodSandbox(sandbox)
    }
    assert.deepEqual(await runtime.listContainers(), [])
  })

  test(`${name}: what is gone can be stopped and removed again`, async () => {
    const runtime = await options.open()
    const { sandbox, container } = await startOne(runtime, 'again')
    await runtime.removePodSandbox(sandbox)
    await runtime.stopContainer(container, 0)
    await runtime.removeContainer(container)
    await runtime.stopPodSandbox(sandbox)
    await runtime.removePodSandbox(sandbox)
  })

  test(`${name}: stopping a sandbox ends its containers`, async () => {
    const runtime = await options.open()
    const { sandbox, container } = await startOne(runtime, 'together')
    await runtime.stopPodSandbox(sandbox)
    assert.equal((await status(runtime, container)).state, 'exited')
    await runtime.removePodSandbox(sandbox)
  })

  test(`${name}: a death is told as an event`, async () => {
    const runtime = await options.open()
    const { sandbox, container } = await startOne(runtime, 'event')
    const stop = new AbortController()
    const dead = new Set<string>()
    const listening = (async () => {
      for await (const event of runtime.events(stop.signal)) if (event.type === 'exited') dead.add(event.id)
    })().catch(() => {}) // Ended by the signal below.
    await new Promise((resolve) => setImmediate(resolve))
    let stopping: Promise<void> | null = null
    await until(() => {
      // The subscription may need a moment: only then the stop is sure to be seen.
      stopping ??= runtime.stopContainer(container, 0)
      return dead.has(container)
    })
    stop.abort(new Error('enough'))
    await listening
    await runtime.removePodSandbox(sandbox)
  })

  test(`${name}: images are found by name, unknown ones are not`, async () => {
    const runtime = await options.open()
    const found = await runtime.imageStatus(image)
    assert.ok(found && found.sizeBytes > 0)
    assert.equal(await runtime.imageStatus('example.invalid/none:1'), null)
    assert.ok((await runtime.listImages()).some(({ id }) => id === found.id))
  })

  test(`${name}: a command runs in a container, and not in one that ended`, async () => {
    const runtime = await options.open()
    const { sandbox, container } = await startOne(runtime, 'exec')
    assert.equal((await runtime.execSync(container, ['true'], 10)).exitCode, 0)
    await runtime.stopContainer(container, 0)
    await assert.rejects(runtime.execSync(container, ['true'], 10))
    await runtime.removePodSandbox(sandbox)
  })
}
