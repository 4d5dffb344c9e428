/** The node's heartbeat: a Lease in kube-node-lease, renewed every ten seconds. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Node } from '#api/core/v1.gen.ts'
import { LEASES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'

export type NodeLeaseOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly nodeName: string
  /** The lease belongs to the node's object and goes with it. */
  node(): Node | undefined
}

const NAMESPACE = 'kube-node-lease'
const RENEW_MS = 10_000
const RETRY_MS = 1000
/** After this long without a renewal others take the node for dead. */
const DURATION_SECONDS = 40

export class NodeLease {
  readonly #options: NodeLeaseOptions
  readonly #stop = new AbortController()
  #lease: Lease | null = null

  constructor(options: NodeLeaseOptions) {
    this.#options = options
  }

  start(): void {
    void this.#loop()
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      let delayMs = RENEW_MS
      try {
        await this.#renew(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#lease = null // Read again: someone else wrote it, or it is gone.
        delayMs = RETRY_MS
        if (!isConflict(error)) this.#options.log.warn('node lease could not be renewed', { error: String(error) })
      }
      await this.#options.clock.sleep(delayMs, signal).catch(() => {}) // Aborted: the loop ends.
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, nodeName } = this.#options
    this.#lease ??= await client.get<Lease>(LEASES, NAMESPACE, nodeName, signal).catch((error: unknown) => {
      if (isNotFound(error)) return null
      throw error
    })
    this.#lease = this.#lease
      ? await client.update<Lease>(LEASES, this.#withRenewal(this.#lease), signal)
      : await client.create<Lease>(LEASES, this.#draft(), signal)
  }

  #draft(): Draft<Lease> {
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: this.#options.nodeName, namespace: NAMESPACE, ...this.#owner() },
      spec: this.#spec(),
    }
  }

  #withRenewal(lease: Lease): Lease {
    return { ...lease, metadata: { ...lease.metadata, ...this.#owner() }, spec: this.#spec() }
  }

  #owner(): Pick<Lease['metadata'], 'ownerReferences'> {
    const node = this.#options.node()
    if (!node) return {}
    const { name, uid } = node.metadata
    return { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] }
  }

  #spec(): NonNullable<Lease['spec']> {
    const renewTime = new Date(this.#options.clock.now()).toISOString().replace('Z', '000Z')
    return { holderIdentity: this.#options.nodeName, leaseDurationSeconds: DURATION_SECONDS, renewTime }
  }
}
