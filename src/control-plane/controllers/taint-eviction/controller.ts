/** Evicts pods from nodes whose NoExecute taints they do not tolerate, at once or after the time they tolerate them. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { formatTime, referenceTo } from '../object-key.ts'
import { PodsByNode } from '../pods/pods-by-node.ts'
import { planStay } from './plan.ts'

/** A pod's planned eviction: the time it tolerates runs from the first taint on. */
type Planned = { readonly uid: string; readonly sinceMs: number }

export class TaintEvictionController implements Controller {
  readonly name = 'taint-eviction-controller'
  readonly workers = 8
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #nodes: Informer<Node>
  readonly #pods: Informer<Pod>
  readonly #podsByNode: PodsByNode
  readonly #planned = new Map<string, Planned>()

  constructor({ client, clock, events, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#nodes = informers.informer(NODES)
    this.#pods = informers.informer(PODS)
    this.#podsByNode = new PodsByNode(this.#pods, this.name)
  }

  watch(enqueue: Enqueue): void {
    const onNode = (node: Node): void => {
      for (const pod of this.#podsByNode.of(node.metadata.name)) enqueue(keyOf(pod))
    }
    this.#nodes.addHandler({
      added: onNode,
      updated: (node, old) => {
        if (JSON.stringify(noExecuteTaints(node)) !== JSON.stringify(noExecuteTaints(old))) onNode(node)
      },
    })
    const onPod = (pod: Pod): void => {
      const { nodeName } = pod.spec
      const node = nodeName === undefined ? undefined : this.#nodes.get(nodeName)
      if (node !== undefined && noExecuteTaints(node).length > 0) enqueue(keyOf(pod))
    }
    this.#pods.addHandler({
      added: onPod,
      updated: onPod,
      deleted: (pod) => {
        if (this.#planned.delete(keyOf(pod))) this.#tell(pod, 'Cancelling deletion of Pod')
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const pod = this.#pods.get(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) {
      this.#planned.delete(key)
      return {}
    }
    const node = this.#nodes.get(pod.spec.nodeName ?? '')
    const stayMs = node === undefined ? null : planStay(noExecuteTaints(node), pod.spec.tolerations ?? [])
    if (stayMs === null) {
      if (this.#planned.delete(key)) this.#tell(pod, 'Cancelling deletion of Pod')
      return {}
    }
    const leftMs = this.#sinceOf(key, pod) + stayMs - this.#clock.monotonic()
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    this.#tell(pod, 'Marking for deletion Pod')
    await this.#evict(pod, signal)
    this.#planned.delete(key)
    return {}
  }

  #sinceOf(key: string, { metadata: { uid } }: Pod): number {
    const planned = this.#planned.get(key)
    if (planned?.uid === uid) return planned.sinceMs
    const sinceMs = this.#clock.monotonic()
    this.#planned.set(key, { uid, sinceMs })
    return sinceMs
  }

  #tell(pod: Pod, what: string): void {
    this.#events.event(referenceTo(PODS, pod), 'Normal', 'TaintManagerEviction', `${what} ${keyOf(pod)}`)
  }

  async #evict(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: formatTime(this.#clock.now()),
    }
    const body = { metadata: { uid }, status: { conditions: [condition] } }
    try {
      await this.#client.patch(PODS, namespace, name, 'strategic', body, { subresource: 'status' }, signal)
      await this.#client.delete(PODS, namespace, name, { preconditions: { uid } }, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

function noExecuteTaints(node: Node): NonNullable<NonNullable<Node['spec']>['taints']> {
  return (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
}
