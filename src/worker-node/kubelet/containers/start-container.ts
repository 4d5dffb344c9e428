/** Creates and starts one container of a pod: image, environment, mounts, runtime, postStart hook. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, Pod } from '#api/core/v1.gen.ts'
import { ImageError } from '../images/image-manager.ts'
import { runHook } from '../lifecycle/run-hook.ts'
import { formatPod, isHostNetwork, type PodContainer } from '../pods/pod-facts.ts'
import { newestOf, type PodState } from '../pods/pod-state.ts'
import type { ContainerConfig, Image, SandboxConfig } from '../runtime/runtime-service.ts'
import type { Semaphore } from '../semaphore.ts'
import type { MountedVolume } from '../volumes/volume-plugin.ts'
import { noteActuated } from '../resize/actuated.ts'
import type { WorkerContext } from '../worker-context.ts'
import { containerConfig } from './container-config.ts'
import { containerDevices, containerMounts, makeTerminationFile } from './container-mounts.ts'
import { ConfigError, makeEnvironment } from './environment.ts'
import { hostnameOf, renderHostsFile } from './hosts-file.ts'
import { containerFolder, podLogFolder } from './pod-folders.ts'

/** Why a container is waiting instead of running. */
export class StartError extends Error {
  readonly reason: string
  /** When a next try makes sense; 0 for the next round. */
  readonly retryAtMs: number
  constructor(reason: string, message: string, retryAtMs = 0) {
    super(message)
    this.reason = reason
    this.retryAtMs = retryAtMs
  }
}

export type StartInputs = {
  readonly pod: Pod
  readonly target: PodContainer
  readonly state: PodState
  readonly sandboxId: string
  readonly sandboxConfig: SandboxConfig
  readonly podIps: readonly string[]
  readonly volumes: ReadonlyMap<string, MountedVolume>
  readonly execs: Semaphore
  readonly signal: AbortSignal
}

/** Throws StartError; events are written on the way. */
export async function startContainer(context: WorkerContext, inputs: StartInputs): Promise<void> {
  const { pod, target, signal } = inputs
  const container = target.container as Container
  const { image, imageRef } = await ensureImage(context, inputs, container)
  await ensureVolumeImages(context, inputs, container)
  const config = await configure(context, inputs, { container, image, imageRef })
  const id = await context.startSlots.run(signal, () => createAndStart(context, inputs, config))
  if (container.lifecycle?.postStart) await runPostStart(context, inputs, id)
  context.log.debug('container started', { pod: formatPod(pod), container: container.name })
}

async function ensureImage(
  context: WorkerContext,
  { pod, sandboxConfig, signal }: StartInputs,
  container: Container,
): Promise<{ readonly image: Image; readonly imageRef: string }> {
  const secrets = await context.pullSecrets(pod)
  try {
    return await context.images.ensure({
      pod,
      container,
      sandboxConfig,
      secrets,
      signal,
      event: (type, reason, message) => context.event(pod, type, reason, message, container),
    })
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
    context.event(pod, 'Warning', 'Failed', `Error: ${error.reason}`, container)
    throw new StartError(error.reason, error.message, error.retryAtMs)
  }
}

/** Images that the runtime mounts as volumes have to be there before; each is pulled by the policy of its volume. */
async function ensureVolumeImages(context: WorkerContext, inputs: StartInputs, container: Container): Promise<void> {
  const mounted = new Set((container.volumeMounts ?? []).map(({ name }) => name))
  const volumes = (inputs.pod.spec.volumes ?? []).filter(({ name, image }) => image !== undefined && mounted.has(name))
  if (volumes.length === 0) return
  const { name, version } = await context.runtime.version()
  if (!mountsImages(name, version))
    fail(
      context,
      inputs,
      'CreateContainerError',
      new Error(`image volumes need containerd 2.1 or newer, not ${version}`),
    )
  for (const { image } of volumes) {
    const { reference = '', pullPolicy } = image!
    const { imagePullPolicy: _ofContainer, ...rest } = container
    const policy = pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }
    await ensureImage(context, inputs, { ...rest, ...policy, image: reference })
  }
}

function mountsImages(name: string, version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return name !== 'containerd' || major > 2 || (major === 2 && minor >= 1)
}

/** Everything that a mistake of the user can spoil is CreateContainerConfigError. */
async function configure(
  context: WorkerContext,
  inputs: StartInputs,
  { container, image, imageRef }: { readonly container: Container; readonly image: Image; readonly imageRef: string },
): Promise<ContainerConfig> {
  const { pod, target, state, podIps, volumes } = inputs
  const last = newestOf(state, container.name)
  const attempt = last ? last.attempt + 1 : restartsKnown(pod, container.name)
  try {
    const environment = await makeEnvironment(pod, container, {
      ...context.sources,
      facts: context.facts(podIps),
      envFile: (volumeName, path) => readVolumeFile(volumes, volumeName, path),
    })
    const folder = containerFolder(context.rootDir, pod.metadata.uid, container.name)
    const terminationFile = join(folder, String(attempt))
    await mkdir(folder, { recursive: true })
    await makeTerminationFile(terminationFile)
    const hostsFile = await writeHostsFile(context, pod, podIps)
    const mounts = await containerMounts(container, { volumes, environment, hostsFile, terminationFile })
    const targetName = 'targetContainerName' in target.container ? target.container.targetContainerName : undefined
    const targetId = targetName === undefined ? undefined : newestOf(state, targetName)?.id
    return containerConfig(pod, container, {
      attempt,
      image,
      imageRef,
      environment,
      mounts,
      devices: containerDevices(container, volumes),
      memoryCapacity: context.memoryCapacity,
      seccompDir: join(context.rootDir, 'seccomp'),
      ...(targetId !== undefined && { targetId }),
    })
  } catch (error) {
    inputs.signal.throwIfAborted()
    if (!(error instanceof ConfigError)) context.log.warn('container configuration', { error: String(error) })
    return fail(context, inputs, 'CreateContainerConfigError', error)
  }
}

/** The runtime has forgotten the container, the API has not. */
function restartsKnown(pod: Pod, name: string): number {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  const status = [...containerStatuses, ...initContainerStatuses].find((candidate) => candidate.name === name)
  return status === undefined || status.containerID === undefined ? 0 : status.restartCount + 1
}

async function createAndStart(context: WorkerContext, inputs: StartInputs, config: ContainerConfig): Promise<string> {
  const { pod, target, sandboxId, sandboxConfig } = inputs
  const { runtime } = context
  await mkdir(join(sandboxConfig.logDirectory ?? '', target.container.name), { recursive: true })
  const id = await runtime
    .createContainer(sandboxId, config, sandboxConfig)
    .catch((error: unknown) => fail(context, inputs, 'CreateContainerError', error))
  context.event(pod, 'Normal', 'Created', 'Container created', target.container)
  try {
    await runtime.startContainer(id)
  } catch (error) {
    return fail(context, inputs, 'RunContainerError', error)
  }
  noteActuated(context.actuated, pod.metadata.uid, id, 'resources' in target.container ? target.container : {})
  context.event(pod, 'Normal', 'Started', 'Container started', target.container)
  return id
}

/** A failed hook ends the container: it never was what the user wanted. */
async function runPostStart(context: WorkerContext, inputs: StartInputs, containerId: string): Promise<void> {
  const { pod, target, podIps, execs, signal } = inputs
  const container = target.container as Container
  const hookTarget = { containerId, container, podIp: podIps[0] ?? '', podName: formatPod(pod), execs }
  try {
    await runHook(container.lifecycle!.postStart!, hookTarget, context, signal)
  } catch (error) {
    signal.throwIfAborted()
    context.event(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', container)
    context.event(pod, 'Normal', 'Killing', 'FailedPostStartHook', container)
    await context.runtime.stopContainer(containerId, pod.spec.terminationGracePeriodSeconds ?? 30)
    throw new StartError('PostStartHookError', (error as Error).message)
  }
}

function fail(context: WorkerContext, { pod, target, signal }: StartInputs, reason: string, error: unknown): never {
  signal.throwIfAborted()
  const { message } = error as Error
  context.event(pod, 'Warning', 'Failed', `Error: ${message}`, target.container)
  throw new StartError(reason, message)
}

/** Shared by all containers of the pod; written anew for each start, for the address may have changed. */
async function writeHostsFile(context: WorkerContext, pod: Pod, podIps: readonly string[]): Promise<string> {
  const path = join(context.volumes.podDir(pod.metadata.uid), 'etc-hosts')
  const hostFile = isHostNetwork(pod) ? await readFile('/etc/hosts', 'utf8') : ''
  const names = hostnameOf(pod, context.dns().clusterDomain)
  await writeFile(path, renderHostsFile(pod, names, podIps, hostFile))
  return path
}

async function readVolumeFile(
  volumes: ReadonlyMap<string, MountedVolume>,
  volumeName: string,
  path: string,
): Promise<string | null> {
  const volume = volumes.get(volumeName)
  if (!volume) return null
  return await readFile(join(volume.hostPath, path), 'utf8').catch(() => null)
}

/** Removes what older attempts of a container left, keeping the newest dead one for `logs --previous`. */
export async function removeOldAttempts(
  context: WorkerContext,
  pod: Pod,
  state: PodState,
  name: string,
): Promise<void> {
  const dead = state.containers.filter((container) => container.name === name && container.state !== 'running')
  for (const container of dead.slice(1)) {
    await context.runtime.removeContainer(container.id)
    const log = join(context.podLogsDir, podLogFolder(pod), name, `${container.attempt}.log`)
    await rm(log, { force: true })
  }
}
