/** Deletes pods that nobody else will: of nodes that are gone or out of service, terminating without a node, and too many finished ones. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { formatTime } from '../object-key.ts'
import { PodsByNode } from '../pods/pods-by-node.ts'
import { isPodTerminal } from '../pods/pod-state.ts'

/** A node that is missing for this time is gone (upstream's quarantine). */
const QUARANTINE_MS = 40_000
/** Upstream's `--terminated-pod-gc-threshold`. */
const TERMINATED_PODS_MAX = 12_500
const TERMINATED = 'terminated'

export class PodGarbageCollectorController implements Controller {
  readonly name = 'pod-garbage-collector-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #clock: Clock
  readonly #pods: Informer<Pod>
  readonly #podsByNode: PodsByNode
  readonly #nodes: Informer<Node>
  /** Pods by the node that is missing, since when. */
  readonly #missing = new Map<string, number>()
  readonly #terminated = new Set<string>()

  constructor({ client, clock, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#pods = informers.informer(PODS)
    this.#podsByNode = new PodsByNode(this.#pods, this.name)
    this.#nodes = informers.informer(NODES)
  }

  watch(enqueue: Enqueue): void {
    const onPod = (pod: Pod): void => {
      const key = keyOf(pod)
      const isNodeless = pod.spec.nodeName === undefined || pod.spec.nodeName === ''
      if (pod.metadata.deletionTimestamp !== undefined) enqueue(key)
      if (!isNodeless && this.#nodes.get(pod.spec.nodeName!) === undefined) enqueue(key, QUARANTINE_MS)
      if (!isPodTerminal(pod)) return
      this.#terminated.add(key)
      if (this.#terminated.size > TERMINATED_PODS_MAX) enqueue(TERMINATED)
    }
    this.#pods.addHandler({ added: onPod, updated: onPod, deleted: (pod) => this.#terminated.delete(keyOf(pod)) })
    this.#nodes.addHandler({
      added: ({ metadata }) => this.#missing.delete(metadata.name),
      updated: (node) => {
        if (!isOutOfService(node)) return
        for (const pod of this.#podsByNode.of(node.metadata.name)) enqueue(keyOf(pod))
      },
      deleted: ({ metadata }) => {
        this.#missing.set(metadata.name, this.#clock.monotonic())
        for (const pod of this.#podsByNode.of(metadata.name)) enqueue(keyOf(pod), QUARANTINE_MS)
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (key === TERMINATED) return this.#collectTerminated(signal)
    const pod = this.#pods.get(key)
    if (pod === undefined) return {}
    const { nodeName } = pod.spec
    if (nodeName === undefined || nodeName === '') {
      if (pod.metadata.deletionTimestamp !== undefined) await this.#delete(pod, null, signal)
      return {}
    }
    const node = this.#nodes.get(nodeName)
    if (node !== undefined) {
      if (pod.metadata.deletionTimestamp !== undefined && isOutOfService(node)) await this.#delete(pod, null, signal)
      return {}
    }
    const since = this.#missing.get(nodeName)
    const waitMs = since === undefined ? 0 : since + QUARANTINE_MS - this.#clock.monotonic()
    if (waitMs > 0) return { requeueAfterMs: waitMs }
    if (await this.#isNodeThere(nodeName, signal)) return {}
    await this.#delete(pod, 'PodGC: node no longer exists', signal)
    return {}
  }

  async #isNodeThere(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.get<Node>(NODES, '', name, signal)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async #collectTerminated(signal: AbortSignal): Promise<Result> {
    const pods = [...this.#terminated].flatMap((key) => this.#pods.get(key) ?? [])
    const oldestFirst = pods.sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
    for (const pod of oldestFirst.slice(0, Math.max(0, pods.length - TERMINATED_PODS_MAX)))
      await this.#delete(pod, null, signal)
    return {}
  }

  /** Marks a pod that had not finished as failed, then removes it without any grace: no kubelet will. */
  async #delete(pod: Pod, disruption: string | null, signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata
    try {
      if (!isPodTerminal(pod)) {
        const condition = {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'DeletionByPodGC',
          message: disruption ?? '',
          lastTransitionTime: formatTime(this.#clock.now()),
        }
        const status = { phase: 'Failed', ...(disruption === null ? {} : { conditions: [condition] }) }
        const body = { metadata: { uid }, status }
        await this.#client.patch(PODS, namespace, name, 'strategic', body, { subresource: 'status' }, signal)
      }
      await this.#client.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } }, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

/** Somebody has said that the node is shut down and stays so: its kubelet will not end any pod. */
function isOutOfService({ spec, status }: Node): boolean {
  const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')
  return isReady !== true && (spec?.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/out-of-service')
}
