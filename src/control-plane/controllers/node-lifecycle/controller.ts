/** Watches the nodes' heartbeats: a silent node becomes Unknown, its pods not ready, and in its zone's turn it is emptied. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { LEASES, NODES, PODS } from '#api/resources.gen.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { referenceTo } from '../object-key.ts'
import { Heartbeats } from './heartbeats.ts'
import { HealthMonitor } from './health-monitor.ts'
import { NodeWriter } from './node-writer.ts'
import { NODE_LIFECYCLE_DEFAULTS } from './options.ts'
import { conditionOf, planLabels, planNoScheduleTaints, planRecovered } from './plan.ts'
import { ZoneQueues } from './zone-queues.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
/** The key of the look at all nodes; those of zones' queues and pods, no node's name has a slash. */
const [HEALTH, ZONE, POD] = ['health/', 'zone/', 'pod/'] as const

export class NodeLifecycleController implements Controller {
  readonly name = 'node-lifecycle-controller'
  readonly workers = 8
  readonly #events: EventRecorder
  readonly #nodes: Informer<Node>
  readonly #leases: Informer<Lease>
  readonly #pods: Informer<Pod>
  readonly #periodMs: number
  readonly #heartbeats: Heartbeats
  readonly #writer: NodeWriter
  readonly #zones: ZoneQueues
  readonly #health: HealthMonitor

  constructor(context: ControllerContext) {
    const { clock, events, informers, options } = context
    const lifecycle = options.nodeLifecycle ?? NODE_LIFECYCLE_DEFAULTS
    this.#events = events
    this.#nodes = informers.informer(NODES)
    this.#leases = informers.informer(LEASES)
    this.#pods = informers.informer(PODS)
    this.#periodMs = lifecycle.nodeMonitorPeriodMs
    this.#heartbeats = new Heartbeats(clock)
    this.#writer = new NodeWriter(context)
    this.#zones = new ZoneQueues({ clock, writer: this.#writer, nodes: this.#nodes, options: lifecycle })
    const parts = { writer: this.#writer, heartbeats: this.#heartbeats, zones: this.#zones, options: lifecycle }
    this.#health = new HealthMonitor({ ...context, ...parts, controller: this.name })
  }

  watch(enqueue: Enqueue): void {
    this.#zones.onWaiting = (zone) => enqueue(ZONE + zone)
    const onNode = (node: Node): void => {
      this.#heartbeats.hearNode(node)
      enqueue(node.metadata.name)
    }
    this.#nodes.addHandler({
      added: (node) => {
        onNode(node)
        this.#tell(node, 'RegisteredNode', `Registered Node ${node.metadata.name} in Controller`)
      },
      updated: onNode,
      deleted: (node) => {
        const { name } = node.metadata
        this.#heartbeats.forgetNode(name)
        this.#health.forget(name)
        this.#zones.remove(name)
        this.#tell(node, 'RemovingNode', `Removing Node ${name} from Controller`)
      },
    })
    const onLease = (lease: Lease): void => {
      if (lease.metadata.namespace === LEASE_NAMESPACE) this.#heartbeats.hearLease(lease)
    }
    this.#leases.addHandler({
      added: onLease,
      updated: onLease,
      deleted: ({ metadata }) => {
        if (metadata.namespace === LEASE_NAMESPACE) this.#heartbeats.forgetLease(metadata.name)
      },
    })
    // A pod that comes to a node while that is silent was not there when the others became not ready.
    const onPod = (pod: Pod, nodeName?: string): void => {
      if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== nodeName) enqueue(POD + keyOf(pod))
    }
    this.#pods.addHandler({ added: (pod) => onPod(pod), updated: (pod, old) => onPod(pod, old.spec.nodeName) })
    enqueue(HEALTH)
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (key === HEALTH) {
      await this.#health.check(signal)
      return { requeueAfterMs: this.#periodMs }
    }
    if (key.startsWith(ZONE)) return this.#zones.taintNext(key.slice(ZONE.length), signal)
    if (key.startsWith(POD)) return this.#lookAtPod(key.slice(POD.length), signal)
    return this.#lookAtNode(key, signal)
  }

  /** What follows from a node's own words at once; what follows from its silence is the health monitor's. */
  async #lookAtNode(name: string, signal: AbortSignal): Promise<Result> {
    const node = this.#nodes.get(name)
    if (node === undefined) return {}
    const tainted = await this.#writer.changeTaints(node, planNoScheduleTaints, signal)
    const labels = planLabels(node)
    if (labels !== null) await this.#writer.addLabels(node, labels, signal)
    if (conditionOf(tainted, 'Ready')?.status !== 'True') return {}
    this.#zones.remove(name)
    await this.#writer.changeTaints(tainted, planRecovered, signal)
    return {}
  }

  async #lookAtPod(key: string, signal: AbortSignal): Promise<Result> {
    const pod = this.#pods.get(key)
    const node = this.#nodes.get(pod?.spec.nodeName ?? '')
    const ready = node === undefined ? undefined : conditionOf(node, 'Ready')
    if (pod === undefined || ready === undefined || ready.status === 'True') return {}
    await this.#writer.markPodNotReady(pod, signal)
    return {}
  }

  #tell(node: Node, reason: string, what: string): void {
    this.#events.event(referenceTo(NODES, node), 'Normal', reason, `Node ${node.metadata.name} event: ${what}`)
  }
}
