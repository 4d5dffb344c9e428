/** Stands in for scheduler and kubelet: every pod is running and ready at once, and goes when it is told to. */
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer, type InformerFactory } from '#client/informer.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'

export type PodStarterOptions = {
  /** Where all pods are placed. */
  readonly nodeName: string
  /** Pods with this label are left alone. */
  readonly skipLabel: string
}

export class PodStarter {
  readonly pods: Informer<Pod>
  readonly #client: Client
  readonly #options: PodStarterOptions
  #nextAddress = 1
  readonly failures: unknown[] = []

  constructor(client: Client, informers: InformerFactory, options: PodStarterOptions) {
    this.#client = client
    this.#options = options
    this.pods = informers.informer<Pod>(PODS)
    const onPod = (pod: Pod): void => {
      this.#follow(pod).catch((error: unknown) => {
        if (!isNotFound(error) && !isConflict(error)) this.failures.push(error)
      })
    }
    this.pods.addHandler({ added: onPod, updated: onPod })
  }

  async #follow(pod: Pod): Promise<void> {
    const { metadata } = pod
    if (metadata.labels?.[this.#options.skipLabel] !== undefined) return
    if (metadata.deletionTimestamp !== undefined) return this.#finish(pod)
    if (!pod.spec.nodeName) return this.#bind(pod)
    if (pod.status?.phase !== 'Pending') return
    const now = `${new Date().toISOString().slice(0, 19)}Z`
    const address = `10.244.${this.#nextAddress >> 8}.${this.#nextAddress++ & 255}`
    const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True', lastTransitionTime: now }))
    const status = { phase: 'Running', conditions, podIP: address, podIPs: [{ ip: address }], startTime: now }
    await this.setStatus(pod, status)
  }

  async #bind({ metadata }: Pod): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: this.#options.nodeName }
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: metadata.name }, target }
    await this.#client.createSubresource(PODS, metadata.namespace!, metadata.name, 'binding', binding)
  }

  async setStatus({ metadata }: Pod, status: Pod['status']): Promise<void> {
    const options = { subresource: 'status' }
    await this.#client.patch(PODS, metadata.namespace!, metadata.name, 'strategic', { status }, options)
  }

  async #finish({ metadata }: Pod): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } }
    await this.#client.delete(PODS, metadata.namespace!, metadata.name, options)
  }

  /** Live pods of a namespace whose label has the value. */
  withLabel(namespace: string, label: string, value: string): Pod[] {
    return this.pods
      .list(namespace)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined && metadata.labels?.[label] === value)
  }

  has(pod: Pod): boolean {
    return this.pods.get(keyOf(pod)) !== undefined
  }
}
