/** Runs the containers of hosted pods in this process, behind the calls that a container runtime would answer. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { withDeadline } from '../deadline.ts'
import { GRPC_NOT_FOUND, GRPC_UNIMPLEMENTED, GrpcError } from '../runtime/grpc-client.ts'
import { POD_UID_LABEL } from '../runtime/labels.ts'
import { containersOf, newContainer, newSandbox, sandboxesOf } from '../runtime/new-records.ts'
import type {
  ContainerConfig,
  ContainerDetail,
  ContainerRecord,
  ExecResult,
  Image,
  RuntimeService,
  Sandbox,
  SandboxConfig,
} from '../runtime/runtime-service.ts'
import { ContainerLog } from './container-log.ts'
import { HOSTED_RUNTIME_NAME, type HostedProgram } from './hosted-pod.ts'
import { loadRecords, saveRecords } from './hosted-records.ts'

export type HostedContainersOptions = {
  /** The pods as the kubelet knows them, each with its programs by container name. */
  readonly pods: readonly { readonly pod: Pod; readonly programs: Readonly<Record<string, HostedProgram>> }[]
  /** Where sandboxes and containers are remembered. */
  readonly path: string
  readonly clock: Clock
  readonly log: Logger
  /** A container ended without being asked to. */
  onExit(podUid: string): void
}

type Running = {
  readonly log: ContainerLog
  readonly stop: AbortController
  readonly ended: Promise<void>
}

type HostedCalls = Pick<
  RuntimeService,
  | 'runPodSandbox'
  | 'stopPodSandbox'
  | 'removePodSandbox'
  | 'podSandboxStatus'
  | 'listPodSandboxes'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'containerStatus'
  | 'updateContainerResources'
  | 'reopenContainerLog'
  | 'execSync'
  | 'exec'
  | 'attach'
  | 'portForward'
  | 'imageStatus'
>

export class HostedContainers implements HostedCalls {
  readonly #options: HostedContainersOptions
  readonly #programs: ReadonlyMap<string, Readonly<Record<string, HostedProgram>>>
  readonly #images: ReadonlyMap<string, Image>
  #sandboxes = new Map<string, Sandbox>()
  #containers = new Map<string, ContainerDetail>()
  readonly #running = new Map<string, Running>()
  #saving: Promise<void> = Promise.resolve()

  constructor(options: HostedContainersOptions) {
    this.#options = options
    this.#programs = new Map(options.pods.map(({ pod, programs }) => [pod.metadata.uid, programs]))
    const names = options.pods.flatMap(({ pod }) => pod.spec.containers.map(({ image = '' }) => image))
    this.#images = new Map(names.flatMap((name) => [name, imageIdOf(name)].map((key) => [key, imageOf(name)] as const)))
  }

  /** Once, before any call: what an earlier life of the process left is known then, as ended. */
  async start(): Promise<void> {
    const { path, clock, log } = this.#options
    const { sandboxes, containers } = await loadRecords(path, clock.now(), log)
    this.#sandboxes = new Map(sandboxes)
    this.#containers = new Map(containers)
  }

  /** The process ends: so do the containers, and the next life starts them again. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#end(id)))
    await this.#saving
  }

  /** Whether the id is one of ours, container or sandbox. */
  has(id: string): boolean {
    return this.#sandboxes.has(id) || this.#containers.has(id)
  }

  /** Whether the pod is one to host, or what an older version hosted. */
  hosts(podUid: string): boolean {
    return this.#programs.has(podUid) || [...this.#sandboxes.values()].some((sandbox) => sandbox.podUid === podUid)
  }

  hasImage(image: string): boolean {
    return this.#images.has(image)
  }

  async runPodSandbox(config: SandboxConfig): Promise<string> {
    const { uid = '', attempt = 0 } = config.metadata ?? {}
    const id = idOf(uid, 'sandbox', attempt)
    const createdAtMs = this.#options.clock.now()
    this.#sandboxes.set(id, newSandbox(config, { id, createdAtMs, ips: [], hostNetwork: true }))
    await this.#save()
    return id
  }

  async stopPodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox?.ready) return
    const own = [...this.#containers.values()].filter(({ sandboxId }) => sandboxId === id)
    await Promise.all(own.map((container) => this.#end(container.id)))
    this.#sandboxes.set(id, { ...sandbox, ready: false })
    await this.#save()
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.stopPodSandbox(id)
    for (const container of this.#containers.values())
      if (container.sandboxId === id) this.#containers.delete(container.id)
    this.#sandboxes.delete(id)
    await this.#save()
  }

  podSandboxStatus(id: string): Promise<Sandbox | null> {
    return Promise.resolve(this.#sandboxes.get(id) ?? null)
  }

  listPodSandboxes(podUid?: string): Promise<Sandbox[]> {
    return Promise.resolve(sandboxesOf(this.#sandboxes.values(), podUid))
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string> {
    const { name = '', attempt = 0 } = config.metadata ?? {}
    const id = idOf(sandboxConfig.metadata?.uid ?? '', name, attempt)
    const logPath = join(sandboxConfig.logDirectory ?? '', config.logPath ?? '')
    const container = newContainer(config, { id, sandboxId, createdAtMs: this.#options.clock.now(), logPath })
    const image = config.image?.userSpecifiedImage ?? container.image
    this.#containers.set(id, { ...container, image, runtimeName: HOSTED_RUNTIME_NAME })
    await this.#save()
    return id
  }

  async startContainer(id: string): Promise<void> {
    const container = this.#get(id)
    const { clock, log } = this.#options
    const podUid = container.labels[POD_UID_LABEL] ?? ''
    const program = this.#programOf(container)
    const output = new ContainerLog({ path: container.logPath, clock, also: log.child({ container: container.name }) })
    const stop = new AbortController()
    this.#change(id, { state: 'running', startedAtMs: clock.now() })
    const ended = program.run(output.logger, stop.signal).then(
      () => this.#exited(id, output, null),
      (error: unknown) => this.#exited(id, output, error as Error),
    )
    this.#running.set(id, { log: output, stop, ended })
    void ended.then(() => this.#options.onExit(podUid))
    await this.#save()
  }

  async stopContainer(id: string, timeoutSeconds: number, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const message = `container ${id} does not stop: it is part of the process that hosts it`
    const limits = { ms: timeoutSeconds * 1000, message, signal: signal ?? new AbortController().signal }
    await withDeadline(clock, limits, () => this.#end(id))
  }

  async removeContainer(id: string): Promise<void> {
    await this.#end(id)
    this.#containers.delete(id)
    await this.#save()
  }

  listContainers(podUid?: string): Promise<ContainerRecord[]> {
    return Promise.resolve(containersOf(this.#containers.values(), podUid))
  }

  containerStatus(id: string): Promise<ContainerDetail | null> {
    return Promise.resolve(this.#containers.get(id) ?? null)
  }

  updateContainerResources(): Promise<void> {
    return Promise.resolve() // The process that hosts has limits of its own.
  }

  reopenContainerLog(id: string): Promise<void> {
    this.#running.get(id)?.log.reopen()
    return Promise.resolve()
  }

  /** For probes: the program itself is asked, there is nothing else to execute. */
  async execSync(
    id: string,
    command: readonly string[],
    timeoutSeconds: number,
    signal?: AbortSignal,
  ): Promise<ExecResult> {
    const { clock } = this.#options
    const container = this.#get(id)
    const limits = {
      ms: timeoutSeconds * 1000,
      message: 'no answer in time',
      signal: signal ?? new AbortController().signal,
    }
    const empty = Buffer.alloc(0)
    try {
      if (container.state !== 'running') throw new Error('not running')
      const output = await withDeadline(clock, limits, (inner) => this.#programOf(container).probe(command, inner))
      return { exitCode: 0, stdout: Buffer.from(output), stderr: empty }
    } catch (error) {
      signal?.throwIfAborted()
      return { exitCode: 1, stdout: Buffer.from((error as Error).message), stderr: empty }
    }
  }

  exec(id: string): Promise<string> {
    return Promise.reject(unsupported(this.#get(id).name, 'it has no processes or files to execute'))
  }

  attach(id: string): Promise<string> {
    return Promise.reject(unsupported(this.#get(id).name, 'there is no stream to attach to; its output is in its log'))
  }

  portForward(sandboxId: string): Promise<string> {
    const pod = this.#sandboxes.get(sandboxId)?.podName ?? sandboxId
    return Promise.reject(unsupported(pod, 'its ports are those of the node: connect to the address of the node'))
  }

  imageStatus(image: string): Promise<Image | null> {
    return Promise.resolve(this.#images.get(image) ?? null)
  }

  async #end(id: string): Promise<void> {
    const running = this.#running.get(id)
    running?.stop.abort(new Error('the container is stopped'))
    await running?.ended
  }

  async #exited(id: string, output: ContainerLog, error: Error | null): Promise<void> {
    this.#running.delete(id)
    if (error) output.logger.error('ended', { error: error.message })
    await output.close()
    this.#change(id, {
      state: 'exited',
      exitCode: error ? 1 : 0,
      reason: error ? 'Error' : 'Completed',
      finishedAtMs: this.#options.clock.now(),
    })
    await this.#save()
  }

  #change(id: string, change: Partial<ContainerDetail>): void {
    const container = this.#containers.get(id)
    if (container) this.#containers.set(id, { ...container, ...change })
  }

  #get(id: string): ContainerDetail {
    const container = this.#containers.get(id)
    if (!container) throw new GrpcError(GRPC_NOT_FOUND, `container "${id}" not found`)
    return container
  }

  #programOf({ labels, name }: ContainerDetail): HostedProgram {
    const program = this.#programs.get(labels[POD_UID_LABEL] ?? '')?.[name]
    if (!program) throw new GrpcError(GRPC_NOT_FOUND, `no program for container "${name}"`)
    return program
  }

  /** One write after the other; the file always ends up with the newest state. */
  #save(): Promise<void> {
    const { path, log } = this.#options
    this.#saving = this.#saving
      .then(() => saveRecords(path, { sandboxes: this.#sandboxes, containers: this.#containers }))
      .catch((error: unknown) => log.warn('hosted pods could not be remembered', { path, error: String(error) }))
    return this.#saving
  }
}

/** Made like a runtime's, so that whoever shortens ids gets something to tell them apart by. */
function idOf(podUid: string, name: string, attempt: number): string {
  return createHash('sha256').update(`${podUid}/${name}/${attempt}`).digest('hex')
}

const imageIdOf = (name: string): string => `${HOSTED_RUNTIME_NAME}://${name}`

function imageOf(name: string): Image {
  return { id: imageIdOf(name), tags: [name], digests: [], sizeBytes: 0, username: '', pinned: true }
}

function unsupported(what: string, why: string): GrpcError {
  return new GrpcError(GRPC_UNIMPLEMENTED, `"${what}" runs inside the node agent: ${why}`)
}
