/** Watches the nodes' heartbeats: a silent node becomes Unknown, its conditions become taints, its pods not ready. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { LEASES, NODES, PODS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { Informer } from '#client/informer.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { formatTime, referenceTo } from '../object-key.ts'
import { PodsByNode } from '../pods/pods-by-node.ts'
import { conditionOf, planSilence, planTaints } from './plan.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
/** Silence after which a node counts as lost; ten times the kubelet's lease renewal, with a margin. */
const GRACE_MS = 50_000
/** A node that never reported anything gets longer. */
const STARTUP_GRACE_MS = 60_000

type Heartbeat = { heardAtMs: number; lastHeartbeatTime: string | undefined }

export class NodeLifecycleController implements Controller {
  readonly name = 'node-lifecycle-controller'
  readonly workers = 8
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #nodes: Informer<Node>
  readonly #leases: Informer<Lease>
  readonly #pods: Informer<Pod>
  readonly #podsByNode: PodsByNode
  readonly #heartbeats = new Map<string, Heartbeat>()

  constructor({ client, clock, events, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#nodes = informers.informer(NODES)
    this.#leases = informers.informer(LEASES)
    this.#pods = informers.informer(PODS)
    this.#podsByNode = new PodsByNode(this.#pods, this.name)
  }

  watch(enqueue: Enqueue): void {
    this.#nodes.addHandler({
      added: (node) => {
        this.#hear(node)
        this.#events.event(
          referenceTo(NODES, node),
          'Normal',
          'RegisteredNode',
          `Node ${node.metadata.name} event: Registered Node ${node.metadata.name} in Controller`,
        )
        enqueue(node.metadata.name)
      },
      updated: (node) => {
        this.#hear(node)
        enqueue(node.metadata.name)
      },
      deleted: (node) => {
        const { name } = node.metadata
        this.#heartbeats.delete(name)
        const message = `Node ${name} event: Removing Node ${name} from Controller`
        this.#events.event(referenceTo(NODES, node), 'Normal', 'RemovingNode', message)
      },
    })
    // A renewal only moves the deadline: the timer that is set looks at it again.
    const onLease = ({ metadata }: Lease): void => {
      if (metadata.namespace !== LEASE_NAMESPACE) return
      const heartbeat = this.#heartbeats.get(metadata.name)
      if (heartbeat !== undefined) heartbeat.heardAtMs = this.#clock.monotonic()
    }
    this.#leases.addHandler({ added: onLease, updated: onLease })
  }

  #hear(node: Node): void {
    const { lastHeartbeatTime } = conditionOf(node, 'Ready') ?? {}
    const known = this.#heartbeats.get(node.metadata.name)
    if (known !== undefined && known.lastHeartbeatTime === lastHeartbeatTime) return
    this.#heartbeats.set(node.metadata.name, { heardAtMs: this.#clock.monotonic(), lastHeartbeatTime })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const node = this.#nodes.get(key)
    const heartbeat = this.#heartbeats.get(key)
    if (node === undefined || heartbeat === undefined) return {}
    const graceMs = conditionOf(node, 'Ready') === undefined ? STARTUP_GRACE_MS : GRACE_MS
    const leftMs = heartbeat.heardAtMs + graceMs - this.#clock.monotonic()
    const current = leftMs > 0 ? node : await this.#markSilent(node, signal)
    await this.#applyTaints(current, signal)
    const ready = conditionOf(current, 'Ready')?.status
    if (ready !== undefined && ready !== 'True') await this.#markPodsNotReady(current, signal)
    return leftMs > 0 ? { requeueAfterMs: leftMs } : {}
  }

  async #markSilent(node: Node, signal: AbortSignal): Promise<Node> {
    const conditions = planSilence(node, formatTime(this.#clock.now()))
    if (conditions === null) return node
    const wasReady = conditionOf(node, 'Ready')?.status === 'True'
    const updated = await this.#client.updateStatus<Node>(
      NODES,
      { ...node, status: { ...node.status, conditions } },
      signal,
    )
    const message = `Node ${node.metadata.name} status is now: NodeNotReady`
    if (wasReady) this.#events.event(referenceTo(NODES, node), 'Normal', 'NodeNotReady', message)
    return updated
  }

  /** Guarded by the resourceVersion: taints of others are never lost. */
  async #applyTaints(node: Node, signal: AbortSignal): Promise<void> {
    const taints = planTaints(node, formatTime(this.#clock.now()))
    if (taints === null) return
    const { name, resourceVersion } = node.metadata
    const body = { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } }
    await this.#client.patch<Node>(NODES, '', name, 'merge', body, {}, signal)
  }

  async #markPodsNotReady(node: Node, signal: AbortSignal): Promise<void> {
    for (const pod of this.#podsByNode.of(node.metadata.name)) {
      const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
      if (ready?.status !== 'True') continue
      const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(this.#clock.now()) }
      const { namespace = '', name, uid } = pod.metadata
      const body = { metadata: { uid }, status: { conditions: [condition] } }
      try {
        await this.#client.patch(PODS, namespace, name, 'strategic', body, { subresource: 'status' }, signal)
        this.#events.event(referenceTo(PODS, pod), 'Warning', 'NodeNotReady', 'Node is not ready')
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }
}
