/** One round of work for a pod that should run: volumes, sandbox, containers to stop and to start. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '#api/core/v1.gen.ts'
import { podCgroupPath } from '../cgroups/pod-cgroups.ts'
import { killContainer } from '../containers/kill-container.ts'
import { killPod } from '../containers/kill-pod.ts'
import { podLogFolder } from '../containers/pod-folders.ts'
import { sandboxConfig } from '../containers/sandbox-config.ts'
import { removeOldAttempts, startContainer, StartError, type StartInputs } from '../containers/start-container.ts'
import { hostPortsOf } from '../host-ports.ts'
import { actuateResize, cgroupDuringResize, finishResize } from '../resize/actuate-resize.ts'
import { planResize } from '../resize/actual-resources.ts'
import type { ContainerDetail, SandboxConfig } from '../runtime/runtime-service.ts'
import type { MountedVolume } from '../volumes/volume-plugin.ts'
import { MountError } from '../volumes/volume-manager.ts'
import type { WorkerContext } from '../worker-context.ts'
import { followProbes, observePod, podIpsOf, publish } from './observe-pod.ts'
import { planPod, type PodPlan } from './plan-pod.ts'
import { containerHash, formatPod, isHostNetwork, type PodContainer } from './pod-facts.ts'
import type { PodMemory } from './pod-memory.ts'
import { newestOf, type PodState } from './pod-state.ts'
import { formatSeconds } from './restart-backoff.ts'

export type SyncResult = {
  /** Nothing of the pod will ever run again. */
  readonly isDone: boolean
  /** When to look again even if nothing happens; Infinity for never. */
  readonly wakeAtMs: number
}

/** Content of ConfigMaps, Secrets and tokens is brought in at least this often. */
const REFRESH_MS = 60_000
/** Until a container that could not be created is tried again (upstream's round of a failing pod). */
const RETRY_MS = 10_000

const DONE: SyncResult = { isDone: true, wakeAtMs: Infinity }

export async function syncPod(context: WorkerContext, memory: PodMemory, signal: AbortSignal): Promise<SyncResult> {
  const { pod } = memory
  let state = await observePod(context, memory)
  followProbes(context, memory, state)
  const plan = planPod(pod, state, context.probes)
  forgetWaiting(memory, plan)
  if (plan.killPod && !plan.createSandbox) return DONE
  const isResizing = memory.resize.inProgress !== null || planResize(pod, state).length > 0
  // What is given before it is on disk would be taken back by a kubelet that comes after a crash.
  if (isResizing) await context.allocations.flush()
  publish(context, memory, state)
  await checkNetwork(context, memory, plan)
  const volumes = await prepare(context, memory, state, signal)
  if (plan.killPod) await killPod(context, { pod, state, alreadyKilling: memory.killing, execs: memory.execs, signal })
  for (const stop of plan.stop) {
    const container = state.containers.find(({ id }) => id === stop.id)!
    const { reason, message } = stop
    const podIp = podIpsOf(context, pod, state)[0] ?? ''
    const { killing: alreadyKilling, execs } = memory
    await killContainer(context, { pod, container, podIp, reason, message, alreadyKilling, execs, signal })
  }
  if (plan.createSandbox) await runSandbox(context, memory, { plan, state, signal })
  if (plan.createSandbox ?? plan.stop.length > 0) state = await refresh(context, memory)
  await openHostPorts(context, pod, state)
  const isResized = !isResizing || (await actuateResize(context, memory, state))
  let wakeAtMs = await startAll(context, memory, { plan, state, volumes, signal })
  if (isResizing) {
    state = await observePod(context, memory)
    finishResize(context, memory, state)
    publish(context, memory, state)
  }
  if (!isResized) wakeAtMs = Math.min(wakeAtMs, context.clock.now() + RETRY_MS)
  return { isDone: false, wakeAtMs: Math.min(wakeAtMs, context.clock.now() + REFRESH_MS) }
}

async function refresh(context: WorkerContext, memory: PodMemory): Promise<PodState> {
  const state = await observePod(context, memory)
  followProbes(context, memory, state)
  publish(context, memory, state)
  return state
}

/** A container that is no longer due does not wait for anything. */
function forgetWaiting(memory: PodMemory, plan: PodPlan): void {
  const due = new Set(plan.start.map(({ container }) => container.name))
  for (const name of memory.waiting.keys()) if (!due.has(name)) memory.waiting.delete(name)
}

/** A problem of the pod's surroundings: told once as an event, then tried again. */
export class SyncError extends Error {}

function checkNetwork(context: WorkerContext, { pod }: PodMemory, plan: PodPlan): Promise<void> {
  const problem = context.networkProblem()
  if (problem === null || isHostNetwork(pod) || !plan.createSandbox) return Promise.resolve()
  context.event(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`)
  return Promise.reject(new SyncError(`network is not ready: ${problem}`))
}

async function prepare(
  context: WorkerContext,
  { pod }: PodMemory,
  state: PodState,
  signal: AbortSignal,
): Promise<Map<string, MountedVolume>> {
  await context.cgroups.apply(podCgroupPath(pod), cgroupDuringResize(pod, state)).catch((error: Error) => {
    context.event(pod, 'Warning', 'FailedCreatePodContainer', `unable to ensure pod container exists: ${error.message}`)
    throw new SyncError(error.message)
  })
  await context.volumes.makePodDir(pod.metadata.uid)
  try {
    return await context.volumes.mountPod(pod, context.facts(podIpsOf(context, pod, state)), signal)
  } catch (error) {
    if (!(error instanceof MountError)) throw error
    context.event(pod, 'Warning', 'FailedMount', error.message)
    throw new SyncError(error.message)
  }
}

function makeSandboxConfig(context: WorkerContext, pod: Pod, attempt: number): SandboxConfig {
  return sandboxConfig(pod, {
    attempt,
    logDirectory: join(context.podLogsDir, podLogFolder(pod)),
    cgroupParent: podCgroupPath(pod),
    dns: context.dns(),
    seccompDir: join(context.rootDir, 'seccomp'),
  })
}

async function runSandbox(
  context: WorkerContext,
  { pod }: PodMemory,
  { plan, state, signal }: { readonly plan: PodPlan; readonly state: PodState; readonly signal: AbortSignal },
): Promise<void> {
  if (state.sandboxes.length > 0)
    context.event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
  try {
    if (pod.spec.hostUsers === false) throw new Error('the container runtime does not support user namespaces')
    const config = makeSandboxConfig(context, pod, plan.createSandbox!.attempt)
    await mkdir(config.logDirectory!, { recursive: true, mode: 0o755 })
    await context.startSlots.run(signal, () =>
      context.runtime.runPodSandbox(config, pod.spec.runtimeClassName ?? '', signal),
    )
  } catch (error) {
    signal.throwIfAborted()
    const { message } = error as Error
    context.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`)
    throw new SyncError(message)
  }
}

async function openHostPorts(context: WorkerContext, pod: Pod, state: PodState): Promise<void> {
  const ports = isHostNetwork(pod) ? [] : hostPortsOf(pod)
  const podIp = state.sandboxes[0]?.ips[0]
  if (!context.hostPorts || ports.length === 0 || podIp === undefined) return
  try {
    await context.hostPorts.set(pod.metadata.uid, podIp, ports)
  } catch (error) {
    const { message } = error as Error
    context.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to open host ports: ${message}`)
    throw new SyncError(message)
  }
}

type StartAll = {
  readonly plan: PodPlan
  readonly state: PodState
  readonly volumes: ReadonlyMap<string, MountedVolume>
  readonly signal: AbortSignal
}

/** One after the other, as upstream: a postStart hook holds up those behind it. */
async function startAll(context: WorkerContext, memory: PodMemory, inputs: StartAll): Promise<number> {
  let wakeAtMs = Infinity
  let { state } = inputs
  for (const target of inputs.plan.start) {
    const dueAtMs = isStoppedForResize(inputs.plan, newestOf(state, target.container.name))
      ? 0
      : holdBack(context, memory, target, state)
    if (dueAtMs > 0) {
      wakeAtMs = Math.min(wakeAtMs, dueAtMs)
      if (target.kind === 'init') break
      continue
    }
    const retryAtMs = await startOne(context, memory, { ...inputs, target, state })
    wakeAtMs = Math.min(wakeAtMs, retryAtMs)
    state = await refresh(context, memory)
    if (retryAtMs < Infinity && target.kind === 'init') break
  }
  if (wakeAtMs < Infinity) publish(context, memory, state)
  return wakeAtMs
}

/** It did nothing wrong: its restart is part of the resize. */
const isStoppedForResize = ({ stop }: PodPlan, last: ContainerDetail | undefined): boolean =>
  stop.some(({ id, reason }) => id === last?.id && reason === 'Resize')

/** When a container that ended may start again; 0 for now. */
function holdBack(context: WorkerContext, memory: PodMemory, target: PodContainer, state: PodState): number {
  const { name } = target.container
  const last = newestOf(state, name)
  if (last?.state !== 'exited') return 0
  const key = `${name}_${containerHash(target.container)}`
  const delayMs = memory.backoff.delayOf(key, last.finishedAtMs)
  const dueAtMs = last.finishedAtMs + delayMs
  const now = context.clock.now()
  if (now >= dueAtMs) {
    memory.backoff.advance(key, last.finishedAtMs, now)
    return 0
  }
  const isNews = memory.waiting.get(name)?.reason !== 'CrashLoopBackOff'
  const pod = formatPod(memory.pod)
  const message = `back-off ${formatSeconds(delayMs)} restarting failed container=${name} pod=${pod}`
  memory.waiting.set(name, { reason: 'CrashLoopBackOff', message })
  if (isNews) {
    const text = `Back-off restarting failed container ${name} in pod ${pod}`
    context.event(memory.pod, 'Warning', 'BackOff', text, target.container)
  }
  return dueAtMs
}

/** When to try again; Infinity when it runs. */
async function startOne(
  context: WorkerContext,
  memory: PodMemory,
  inputs: StartAll & { readonly target: PodContainer },
): Promise<number> {
  const { target, state, volumes, signal } = inputs
  const { pod, execs, waiting } = memory
  const { name } = target.container
  const sandbox = state.sandboxes[0]
  if (!sandbox?.ready) throw new SyncError('the sandbox ended before its containers could start')
  await removeOldAttempts(context, pod, state, name)
  const start: StartInputs = {
    pod,
    target,
    state,
    sandboxId: sandbox.id,
    sandboxConfig: makeSandboxConfig(context, pod, sandbox.attempt),
    podIps: podIpsOf(context, pod, state),
    volumes,
    execs,
    signal,
  }
  try {
    await startContainer(context, start)
    waiting.delete(name)
    return Infinity
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    waiting.set(name, { reason: error.reason, message: error.message })
    return error.retryAtMs > 0 ? error.retryAtMs : context.clock.now() + RETRY_MS
  }
}
