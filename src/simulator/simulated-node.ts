/** A node without containers: reports itself and its pods to the API server as a kubelet does, on the injected clock. */
import type { Clock, Timer } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Node, NodeCondition, Pod } from '#api/core/v1.gen.ts'
import { LEASES, NODES, PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#machinery/status-error.ts'
import { isTerminal, planStatus, runsToCompletion, type Progress } from './plan-simulated-pod.ts'

export type SimulatedNodeOptions = {
  readonly name: string
  /** Number of the node: addresses derive from it. */
  readonly number: number
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: string
  readonly labels?: Readonly<Record<string, string>>
  /** The containers of a pod run from now on. */
  readonly onPodStarted?: (uid: string, node: string) => void
  readonly onPodStopped?: (uid: string) => void
}

/** Upstream's intervals: the Lease every 10 s, the whole status every 5 minutes. */
const LEASE_RENEWAL_MS = 10_000
const STATUS_REPORT_MS = 5 * 60_000
const LEASE_SECONDS = 40
const START_MS = { min: 300, max: 2000 }
const COMPLETION_MS = { min: 5000, max: 30_000 }
const TERMINATION_MS = { min: 100, max: 1500 }
const RETRY_MS = 1000
const LEASE_NAMESPACE = 'kube-node-lease'

type Running = {
  readonly uid: string
  progress: Progress
  readonly podIp: string
  terminating: boolean
  timer: Timer | null
}

export class SimulatedNode {
  readonly name: string
  readonly #options: SimulatedNodeOptions
  readonly #pods = new Map<string, Running>()
  #nextPod = 1
  #readySince = ''
  #abort: AbortController | null = null

  constructor(options: SimulatedNodeOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Registers and reports until `crash`. A node that starts again finds its pods as the API server has them. */
  start(): void {
    const abort = new AbortController()
    this.#abort = abort
    this.#readySince = this.#now()
    void this.#repeat(abort.signal, LEASE_RENEWAL_MS, () => this.#renewLease(abort.signal))
    void this.#repeat(abort.signal, STATUS_REPORT_MS, () => this.#reportStatus(abort.signal))
  }

  /** Everything on the node stops at once; nothing is reported any more. */
  crash(): void {
    this.#abort?.abort()
    this.#abort = null
    for (const key of this.#pods.keys()) this.#forget(key)
  }

  get isUp(): boolean {
    return this.#abort !== null
  }

  /** Tells the node of a pod that names it, as the informer saw it. */
  podChanged(pod: Pod): void {
    const abort = this.#abort
    if (abort === null) return
    const key = keyOf(pod)
    const known = this.#pods.get(key)
    if (known !== undefined && known.uid !== pod.metadata.uid) this.#forget(key)
    if (pod.metadata.deletionTimestamp !== undefined) return this.#terminate(pod, abort.signal)
    if (isTerminal(pod) || this.#pods.has(key)) return
    const podIp = pod.status?.podIP ?? this.#nextPodIp()
    this.#pods.set(key, { uid: pod.metadata.uid, progress: 'starting', podIp, terminating: false, timer: null })
    void this.#report(pod, 'starting', abort.signal)
    this.#later(key, START_MS, () => this.#progress(key, 'running', abort.signal))
  }

  podGone(pod: Pod): void {
    const key = keyOf(pod)
    if (this.#pods.get(key)?.uid === pod.metadata.uid) this.#forget(key)
  }

  /** Last state of each pod, for reports that need the newest object; set by the owner of the informer. */
  lookup: (key: string) => Pod | undefined = () => undefined

  #forget(key: string): void {
    const running = this.#pods.get(key)
    running?.timer?.cancel()
    if (running !== undefined) this.#options.onPodStopped?.(running.uid)
    this.#pods.delete(key)
  }

  #later(key: string, range: { min: number; max: number }, callback: () => void): void {
    const running = this.#pods.get(key)
    if (running === undefined) return
    running.timer?.cancel()
    const delayMs = Math.floor(range.min + this.#options.random.next() * (range.max - range.min))
    running.timer = this.#options.clock.setTimer(delayMs, callback)
  }

  #progress(key: string, progress: Progress, signal: AbortSignal): void {
    const [running, pod] = [this.#pods.get(key), this.lookup(key)]
    if (running === undefined || running.terminating || pod === undefined || pod.metadata.uid !== running.uid) return
    running.progress = progress
    if (progress === 'running') this.#options.onPodStarted?.(running.uid, this.name)
    else this.#options.onPodStopped?.(running.uid)
    void this.#report(pod, progress, signal)
    if (progress === 'running' && runsToCompletion(pod))
      this.#later(key, COMPLETION_MS, () => this.#progress(key, 'completed', signal))
  }

  #terminate(pod: Pod, signal: AbortSignal): void {
    const key = keyOf(pod)
    const running = this.#pods.get(key) ?? {
      uid: pod.metadata.uid,
      progress: 'running',
      podIp: pod.status?.podIP ?? '',
      terminating: false,
      timer: null,
    }
    this.#pods.set(key, running)
    if (running.terminating) return
    running.terminating = true
    this.#later(key, TERMINATION_MS, () => void this.#removePod(pod, signal))
  }

  async #removePod(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    const options = { gracePeriodSeconds: 0, preconditions: { uid } }
    await this.#persist(signal, () => this.#options.client.delete(PODS, namespace!, name, options, signal))
  }

  async #report(pod: Pod, progress: Progress, signal: AbortSignal): Promise<void> {
    const running = this.#pods.get(keyOf(pod))
    if (running === undefined) return
    const status = planStatus(pod, { progress, podIp: running.podIp, hostIp: this.#address(), now: this.#now() })
    const { namespace, name, uid } = pod.metadata
    await this.#persist(signal, async () => {
      // A report that comes late must not undo the next one.
      if (running.progress !== progress) return
      const body = { metadata: { uid }, status }
      await this.#options.client.patch(PODS, namespace!, name, 'merge', body, { subresource: 'status' }, signal)
    })
  }

  /** Tries until it succeeds, the object is gone, or the node crashes. */
  async #persist(signal: AbortSignal, write: () => Promise<unknown>): Promise<void> {
    while (!signal.aborted) {
      try {
        await write()
        return
      } catch (error) {
        if (isNotFound(error) || isConflict(error) || signal.aborted) return
        this.#options.log.debug('simulated node retries', { node: this.name, error: String(error) })
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
      }
    }
  }

  async #repeat(signal: AbortSignal, intervalMs: number, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const isDone = await work().then(
        () => true,
        (error: unknown) => {
          if (!signal.aborted)
            this.#options.log.debug('simulated node report failed', { node: this.name, error: String(error) })
          return false
        },
      )
      const delayMs = isDone ? intervalMs : RETRY_MS
      await this.#options.clock.sleep(delayMs, signal).catch(() => {}) // Aborted: the loop ends by itself.
    }
  }

  async #renewLease(signal: AbortSignal): Promise<void> {
    const { client } = this.#options
    const renewTime = `${new Date(this.#options.clock.now()).toISOString().slice(0, -1)}000Z`
    try {
      await client.patch(LEASES, LEASE_NAMESPACE, this.name, 'merge', { spec: { renewTime } }, {}, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
      const spec = { holderIdentity: this.name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
      await client.create(LEASES, { metadata: { name: this.name, namespace: LEASE_NAMESPACE }, spec }, signal)
    }
  }

  async #reportStatus(signal: AbortSignal): Promise<void> {
    const { client } = this.#options
    const draft: Draft<Node> = { metadata: { name: this.name, labels: this.#labels() }, spec: {} }
    await client.create(NODES, draft, signal).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
    await client.patch(NODES, '', this.name, 'strategic', { status: this.#status() }, { subresource: 'status' }, signal)
  }

  #labels(): Record<string, string> {
    return {
      'kubernetes.io/hostname': this.name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      ...this.#options.labels,
    }
  }

  #status() {
    const { cpu = '8', memory = '32Gi', pods = '110' } = this.#options
    const capacity = { cpu, memory, pods, 'ephemeral-storage': '100Gi' }
    return {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address: this.#address() },
        { type: 'Hostname', address: this.name },
      ],
      conditions: this.#conditions(),
    }
  }

  #conditions(): NodeCondition[] {
    const now = this.#now()
    const healthy = (type: string, reason: string, message: string, status = 'False'): NodeCondition => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: this.#readySince,
    })
    return [
      healthy('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      healthy('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      healthy('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      healthy('Ready', 'KubeletReady', 'kubelet is posting ready status', 'True'),
    ]
  }

  #address(): string {
    return `10.${128 + (this.#options.number >> 16)}.${(this.#options.number >> 8) & 0xff}.${this.#options.number & 0xff}`
  }

  #nextPodIp(): string {
    const pod = this.#nextPod++
    return `10.${this.#options.number & 0x7f}.${(pod >> 8) & 0xff}.${pod & 0xff}`
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  }
}
