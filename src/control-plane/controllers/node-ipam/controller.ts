/** Gives each node a range of pod addresses of its own, and takes it back when the node is deleted. */
import type { Node } from '#api/core/v1.gen.ts'
import { NODES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { referenceTo } from '../object-key.ts'
import { CidrSet } from './plan.ts'

const NODE_MASK_SIZE_DEFAULT = 24

export class NodeIpamController implements Controller {
  readonly name = 'node-ipam-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #nodes: Informer<Node>
  readonly #cidrs: CidrSet | null
  /** Ranges given to nodes whose update is not in the informer yet. */
  readonly #given = new Map<string, string>()

  constructor({ client, informers, options, events }: ControllerContext) {
    this.#client = client
    this.#events = events
    this.#nodes = informers.informer(NODES)
    const maskSize = options.nodeCidrMaskSize ?? NODE_MASK_SIZE_DEFAULT
    this.#cidrs = options.clusterCidr === undefined ? null : new CidrSet(options.clusterCidr, maskSize)
  }

  watch(enqueue: Enqueue): void {
    const cidrs = this.#cidrs
    if (cidrs === null) return
    const onNode = ({ metadata, spec }: Node): void => {
      for (const cidr of rangesOf(spec)) cidrs.occupy(cidr)
      if (rangesOf(spec).length === 0) enqueue(metadata.name)
    }
    this.#nodes.addHandler({
      added: onNode,
      updated: onNode,
      deleted: ({ metadata, spec }) => {
        const given = this.#given.get(metadata.name)
        this.#given.delete(metadata.name)
        for (const cidr of new Set([...rangesOf(spec), ...(given === undefined ? [] : [given])])) cidrs.release(cidr)
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const node = this.#nodes.get(key)
    if (node === undefined || this.#cidrs === null || rangesOf(node.spec).length > 0) return {}
    const podCIDR = this.#given.get(key) ?? this.#cidrs.allocate()
    if (podCIDR === null) {
      const message = `Node ${key} status is now: CIDRNotAvailable`
      this.#events.event(referenceTo(NODES, node), 'Normal', 'CIDRNotAvailable', message)
      throw new Error('no range of pod addresses is free')
    }
    this.#given.set(key, podCIDR)
    await this.#client.patch<Node>(NODES, '', key, 'strategic', { spec: { podCIDR, podCIDRs: [podCIDR] } }, {}, signal)
    return {}
  }
}

function rangesOf(spec: Node['spec']): readonly string[] {
  return spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR])
}
