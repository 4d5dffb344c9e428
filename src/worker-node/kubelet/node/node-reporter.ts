/** Registers this node with the API server and keeps its status there true. */
import type { Clock, Timer } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Node, NodeStatus, Taint } from '#api/core/v1.gen.ts'
import { NODES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status-error.ts'
import { nodeEventsOf, schedulingEvent, type NodeEvent } from './node-events.ts'
import { isNewsworthy } from './node-status.ts'

export type NodeReporterOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly nodeName: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly providerId: string | undefined
  event(node: Node, event: NodeEvent): void
  /** The status as it is now, given the one in the API server. */
  compute(before: NodeStatus): Promise<NodeStatus>
}

/** Looked at this often, reported only when something changed or the report is old. */
const CHECK_MS = 10_000
const REPORT_MS = 300_000
const RETRY_MS = 200
const RETRY_MS_MAX = 7000

export class NodeReporter {
  readonly #options: NodeReporterOptions
  readonly #stop = new AbortController()
  #node: Node | null = null
  #isUnschedulable = false
  /** The status with which the node came. */
  #first: NodeStatus = {}
  #reportedAtMs = 0
  #running: Promise<void> | null = null
  #again = false
  #timer: Timer | null = null

  constructor(options: NodeReporterOptions) {
    this.#options = options
  }

  /** Creates the node's object or takes over the one that exists. Tries until it works. */
  async register(): Promise<Node> {
    const { clock, log } = this.#options
    const { signal } = this.#stop
    for (let delayMs = RETRY_MS; ; delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
      try {
        const node = await this.#createOrAdopt(signal)
        this.observe(node)
        return node
      } catch (error) {
        signal.throwIfAborted()
        log.warn('node could not be registered', { error: String(error) })
        await clock.sleep(delayMs, signal)
      }
    }
  }

  async #createOrAdopt(signal: AbortSignal): Promise<Node> {
    const { client, clock, nodeName, labels, taints, providerId, compute } = this.#options
    const status = await compute({})
    this.#first = status
    const draft = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels: { ...labels } },
      spec: {
        ...(taints.length > 0 && { taints: [...taints] }),
        ...(providerId !== undefined && { providerID: providerId }),
      },
      status,
    }
    try {
      const created = await client.create<Node>(NODES, draft, signal)
      this.#reportedAtMs = clock.now()
      return created
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
    const existing = await client.get<Node>(NODES, '', nodeName, signal)
    const missing = Object.entries(labels).filter(([key, value]) => existing.metadata.labels?.[key] !== value)
    if (missing.length === 0) return existing
    const body = { metadata: { labels: Object.fromEntries(missing) } }
    return await client.patch<Node>(NODES, '', nodeName, 'strategic', body, {}, signal)
  }

  /** What a kubelet that starts finds, whoever reported it before. */
  announce(node: Node): void {
    for (const news of nodeEventsOf(node.metadata.name, {}, this.#first)) this.#options.event(node, news)
  }

  /** The watch brought a newer version of the node. */
  observe(node: Node): void {
    this.#node = node
    const isUnschedulable = node.spec?.unschedulable ?? false
    if (isUnschedulable === this.#isUnschedulable) return
    this.#isUnschedulable = isUnschedulable
    this.#options.event(node, schedulingEvent(node.metadata.name, isUnschedulable))
  }

  /** Something changed: look now, not at the next round. */
  report(): void {
    if (this.#running) {
      this.#again = true
      return
    }
    this.#timer?.cancel()
    this.#running = this.#reportOnce().finally(() => {
      this.#running = null
      if (this.#stop.signal.aborted) return
      if (this.#again) {
        this.#again = false
        this.report()
      } else this.#timer = this.#options.clock.setTimer(CHECK_MS, () => this.report())
    })
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
    this.#timer?.cancel()
  }

  async #reportOnce(): Promise<void> {
    const { client, clock, log, nodeName, event, compute } = this.#options
    const { signal } = this.#stop
    if (!this.#node) return
    const before = this.#node.status ?? {}
    try {
      const status = await compute(before)
      const isOld = clock.now() - this.#reportedAtMs >= REPORT_MS
      if (!isOld && !isNewsworthy(before, status)) return
      const body = { status }
      this.#node = await client.patch<Node>(NODES, '', nodeName, 'strategic', body, { subresource: 'status' }, signal)
      this.#reportedAtMs = clock.now()
      for (const news of nodeEventsOf(nodeName, before, status)) event(this.#node, news)
    } catch (error) {
      if (signal.aborted) return
      log.warn('node status could not be written', { error: String(error) })
      if (isNotFound(error)) await this.register().catch(() => {}) // Stopped meanwhile.
    }
  }
}
