/** Writes what the node lifecycle controller decides: conditions, taints and labels of nodes, readiness of their pods. */
import type { Node, Pod, Taint } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'
import { formatTime, referenceTo } from '../object-key.ts'
import { planSilence } from './plan.ts'

/** Kubelets write to their node too: so many lost races in a row are ordinary. */
const TAINT_ATTEMPTS_MAX = 5

export class NodeWriter {
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder

  constructor({ client, clock, events }: { client: Client; clock: Clock; events: EventRecorder }) {
    this.#client = client
    this.#clock = clock
    this.#events = events
  }

  /** What only the kubelet can tell becomes unknown. */
  async markSilent(node: Node, signal: AbortSignal): Promise<Node> {
    const conditions = planSilence(node, formatTime(this.#clock.now()))
    if (conditions === null) return node
    return this.#client.updateStatus<Node>(NODES, { ...node, status: { ...node.status, conditions } }, signal)
  }

  /**
   * Writes the taints that `plan` wants, null for none to write. Guarded by the resourceVersion, so that taints of others are never lost;
   * when the node has changed meanwhile, the plan is made again for what it is now.
   */
  async changeTaints(node: Node, plan: (node: Node) => Taint[] | null, signal: AbortSignal): Promise<Node> {
    let current = node
    for (let attempt = 1; ; attempt++) {
      const taints = plan(current)
      if (taints === null) return current
      const { name, resourceVersion } = current.metadata
      const body = { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } }
      try {
        return await this.#client.patch<Node>(NODES, '', name, 'merge', body, {}, signal)
      } catch (error) {
        if (!isConflict(error) || attempt === TAINT_ATTEMPTS_MAX) throw error
        current = await this.#client.get<Node>(NODES, '', name, signal)
      }
    }
  }

  async addLabels(node: Node, labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { name, uid } = node.metadata
    await this.#client.patch<Node>(NODES, '', name, 'merge', { metadata: { uid, labels } }, {}, signal)
  }

  /** Services stop sending to the pod; what else it says of itself stays. */
  async markPodNotReady(pod: Pod, signal: AbortSignal): Promise<void> {
    const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
    if (ready === undefined || ready.status === 'False') return
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
