/** A container runtime in memory: containers "run" on the injected clock and end as they are told; for tests and simulated nodes. */
import type { Clock, Timer } from '#base/clock.ts'
import { GRPC_NOT_FOUND, GrpcError } from './grpc-client.ts'
import { actualOf, containersOf, newContainer, newSandbox, sandboxesOf } from './new-records.ts'
import { NamespaceMode } from './proto/cri_pb.ts'
import type {
  ActualResources,
  ContainerConfig,
  ContainerDetail,
  ContainerRecord,
  ContainerResources,
  ContainerStateName,
  ExecResult,
  FilesystemUsage,
  Image,
  RuntimeEvent,
  RuntimeService,
  RuntimeStatus,
  RuntimeVersion,
  Sandbox,
  SandboxConfig,
} from './runtime-service.ts'

/** What a container does once started. */
export type FakeBehaviour = {
  /** Absent: runs until it is stopped. */
  readonly exitAfterMs?: number
  readonly exitCode?: number
  /** Time between the stop signal and the end; longer than the grace period leads to SIGKILL. Default 0. */
  readonly stopMs?: number
}

export type FakeRuntimeOptions = {
  readonly clock: Clock
  /** Images that are on the node, by name as pods write it. */
  readonly images?: readonly string[]
  /** Images that can be pulled; undefined: all. */
  readonly registry?: readonly string[]
  behaviour?(containerName: string, attempt: number): FakeBehaviour
  exec?(command: readonly string[], containerName: string): { readonly exitCode: number; readonly output?: string }
}

type FakeSandbox = Sandbox & { ready: boolean }
type FakeContainer = ContainerDetail & {
  state: ContainerStateName
  startedAtMs: number
  finishedAtMs: number
  exitCode: number
  reason: string
  resources?: ActualResources
  readonly behaviour: FakeBehaviour
  timer: Timer | null
  ended: PromiseWithResolvers<void>
}

const SIGTERM_CODE = 143
const SIGKILL_CODE = 137
const IMAGE_BYTES = 1_000_000

export class FakeRuntime implements RuntimeService {
  readonly #options: FakeRuntimeOptions
  readonly #sandboxes = new Map<string, FakeSandbox>()
  readonly #containers = new Map<string, FakeContainer>()
  readonly #images = new Map<string, Image>()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  /** All calls that change something, in order: what a test reads. */
  readonly calls: string[] = []
  networkReady = true
  /** What containers have written, by container id. */
  readonly layerBytes = new Map<string, number>()
  #nextId = 1

  constructor(options: FakeRuntimeOptions) {
    this.#options = options
    for (const name of options.images ?? []) this.#addImage(name)
  }

  version(): Promise<RuntimeVersion> {
    return Promise.resolve({ name: 'fake', version: '1.0.0', apiVersion: 'v1' })
  }

  status(): Promise<RuntimeStatus> {
    const ready = { ready: true, reason: '', message: '' }
    const network = this.networkReady ? ready : { ready: false, reason: 'NetworkPluginNotReady', message: 'no network' }
    return Promise.resolve({ runtime: ready, network })
  }

  updatePodCidr(): Promise<void> {
    return Promise.resolve()
  }

  runPodSandbox(config: SandboxConfig): Promise<string> {
    const id = this.#newId('sandbox')
    const { name = '', attempt = 0 } = config.metadata ?? {}
    this.calls.push(`runPodSandbox ${name} ${attempt}`)
    const hostNetwork = config.linux?.securityContext?.namespaceOptions?.network === NamespaceMode.NODE
    const ips = hostNetwork ? [] : [`10.244.0.${this.#nextId}`]
    this.#sandboxes.set(id, newSandbox(config, { id, createdAtMs: this.#options.clock.now(), ips, hostNetwork }))
    return Promise.resolve(id)
  }

  async stopPodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox?.ready) return
    this.calls.push(`stopPodSandbox ${sandbox.podName}`)
    for (const container of this.#containers.values())
      if (container.sandboxId === id && container.state === 'running') this.#exit(container, SIGKILL_CODE)
    this.#sandboxes.set(id, { ...sandbox, ready: false, ips: [] })
    this.#emit({ type: 'exited', id })
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.stopPodSandbox(id)
    for (const container of this.#containers.values())
      if (container.sandboxId === id) this.#containers.delete(container.id)
    this.#sandboxes.delete(id)
  }

  podSandboxStatus(id: string): Promise<Sandbox | null> {
    return Promise.resolve(this.#sandboxes.get(id) ?? null)
  }

  listPodSandboxes(podUid?: string): Promise<Sandbox[]> {
    return Promise.resolve(sandboxesOf(this.#sandboxes.values(), podUid))
  }

  createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    if (!this.#sandboxes.get(sandboxId)?.ready) return Promise.reject(notFound(`sandbox ${sandboxId}`))
    const id = this.#newId('container')
    const { name = '', attempt = 0 } = config.metadata ?? {}
    this.calls.push(`createContainer ${name} ${attempt}`)
    const own = { id, sandboxId, createdAtMs: this.#options.clock.now(), logPath: config.logPath ?? '' }
    this.#containers.set(id, {
      ...newContainer(config, own),
      ...(config.linux?.resources && { resources: actualOf(config.linux.resources) }),
      behaviour: this.#options.behaviour?.(name, attempt) ?? {},
      timer: null,
      ended: Promise.withResolvers<void>(),
    })
    return Promise.resolve(id)
  }

  startContainer(id: string): Promise<void> {
    const container = this.#containers.get(id)
    if (!container) return Promise.reject(notFound(`container ${id}`))
    this.calls.push(`startContainer ${container.name} ${container.attempt}`)
    container.state = 'running'
    container.startedAtMs = this.#options.clock.now()
    const { exitAfterMs, exitCode = 0 } = container.behaviour
    if (exitAfterMs !== undefined)
      container.timer = this.#options.clock.setTimer(exitAfterMs, () => this.#exit(container, exitCode))
    return Promise.resolve()
  }

  async stopContainer(id: string, timeoutSeconds: number, signal?: AbortSignal): Promise<void> {
    const container = this.#containers.get(id)
    if (container?.state !== 'running') return
    this.calls.push(`stopContainer ${container.name} ${timeoutSeconds}`)
    const { stopMs = 0 } = container.behaviour
    const graceMs = timeoutSeconds * 1000
    await this.#options.clock.sleep(Math.min(stopMs, graceMs), signal)
    if (container.state === 'running') this.#exit(container, stopMs > graceMs ? SIGKILL_CODE : SIGTERM_CODE)
  }

  removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id)
    if (container?.state === 'running') this.#exit(container, SIGKILL_CODE)
    this.#containers.delete(id)
    return Promise.resolve()
  }

  listContainers(podUid?: string): Promise<ContainerRecord[]> {
    return Promise.resolve(containersOf(this.#containers.values(), podUid).map((container) => ({ ...container })))
  }

  containerStatus(id: string): Promise<ContainerDetail | null> {
    const container = this.#containers.get(id)
    return Promise.resolve(container ? { ...container } : null)
  }

  updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    const container = this.#containers.get(id)
    if (!container) return Promise.reject(notFound(`container ${id}`))
    this.calls.push(`updateContainerResources ${container.name}`)
    container.resources = actualOf(resources)
    return Promise.resolve()
  }

  writableLayers(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(this.layerBytes)
  }

  reopenContainerLog(id: string): Promise<void> {
    this.calls.push(`reopenContainerLog ${id}`)
    return Promise.resolve()
  }

  execSync(id: string, command: readonly string[]): Promise<ExecResult> {
    const container = this.#containers.get(id)
    if (container?.state !== 'running') return Promise.reject(notFound(`container ${id}`))
    const { exitCode, output = '' } = this.#options.exec?.(command, container.name) ?? { exitCode: 0 }
    return Promise.resolve({ stdout: Buffer.from(output), stderr: Buffer.alloc(0), exitCode })
  }

  exec(): Promise<string> {
    return Promise.reject(new Error('a simulated container has no streams'))
  }
  attach(): Promise<string> {
    return this.exec()
  }
  portForward(): Promise<string> {
    return this.exec()
  }

  listImages(): Promise<Image[]> {
    return Promise.resolve([...this.#images.values()])
  }

  imageStatus(image: string): Promise<Image | null> {
    return Promise.resolve(this.#images.get(image) ?? null)
  }

  pullImage(image: string): Promise<string> {
    this.calls.push(`pullImage ${image}`)
    const { registry } = this.#options
    if (registry && !registry.includes(image)) return Promise.reject(notFound(`${image}: not found`))
    this.#addImage(image)
    return Promise.resolve(image)
  }

  removeImage(image: string): Promise<void> {
    this.calls.push(`removeImage ${image}`)
    this.#images.delete(image)
    return Promise.resolve()
  }

  imageFilesystem(): Promise<FilesystemUsage | null> {
    return Promise.resolve(null)
  }

  async *events(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const queue: RuntimeEvent[] = []
    let wake: (() => void) | null = null
    const listener = (event: RuntimeEvent): void => {
      queue.push(event)
      wake?.()
    }
    const onAbort = (): void => wake?.()
    this.#listeners.add(listener)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        const next = queue.shift()
        if (next) yield next
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      this.#listeners.delete(listener)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Ends a container as if it had crashed; by name, the newest running one. */
  crash(containerName: string, exitCode: number): void {
    const running = [...this.#containers.values()].filter(
      ({ name, state }) => name === containerName && state === 'running',
    )
    const newest = running.at(-1)
    if (!newest) throw new Error(`no container "${containerName}" runs`)
    this.#exit(newest, exitCode)
  }

  #exit(container: FakeContainer, exitCode: number): void {
    if (container.state === 'exited') return
    container.timer?.cancel()
    container.state = 'exited'
    container.exitCode = exitCode
    container.finishedAtMs = this.#options.clock.now()
    container.reason = exitCode === 0 ? 'Completed' : 'Error'
    container.ended.resolve()
    this.#emit({ type: 'exited', id: container.id })
  }

  #emit(event: RuntimeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #addImage(name: string): void {
    this.#images.set(name, { id: name, tags: [name], digests: [], sizeBytes: IMAGE_BYTES, username: '', pinned: false })
  }

  #newId(kind: string): string {
    return `${kind}-${this.#nextId++}`
  }
}

const notFound = (what: string): GrpcError => new GrpcError(GRPC_NOT_FOUND, `${what} not found`)
