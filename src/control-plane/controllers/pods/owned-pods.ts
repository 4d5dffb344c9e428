/** The pods that a controller manages for its objects: finds them, writes them, and knows which writes its informer does not show yet. */
import type { Pod, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { ControllerContext } from '../controller.ts'
import { controllerKeyOf, controllerOf } from '../object-key.ts'
import { indexByController, onDependentChange } from '../on-change.ts'
import { Expectations } from './expectations.ts'
import { PodControl, type PodOwner } from './pod-control.ts'

export type OwnedPodsHandler = {
  /** A pod of the object with this key came, changed or went. */
  changed(key: string): void
  /** So did a pod that nobody manages. */
  orphan?(pod: Pod): void
}

export class OwnedPods {
  readonly control: PodControl
  readonly informer: Informer<Pod>
  readonly #kind: string
  readonly #index: string
  readonly #expectations: Expectations

  /** For objects of one kind, managed by the controller of this name. */
  constructor({ client, informers, events, clock }: ControllerContext, controller: string, kind: string) {
    this.control = new PodControl(client, events)
    this.informer = informers.informer(PODS)
    this.#kind = kind
    this.#index = `${controller}/controller`
    this.#expectations = new Expectations(clock)
  }

  watch({ changed, orphan }: OwnedPodsHandler): void {
    indexByController(this.informer, this.#index)
    onDependentChange(this.informer, (pod) => {
      const key = controllerKeyOf(pod, this.#kind)
      if (key !== null) {
        this.#expectations.observe(key, pod.metadata.uid)
        changed(key)
      } else if (controllerOf(pod) === undefined) orphan?.(pod)
    })
  }

  of({ metadata }: KubernetesObject): Pod[] {
    return this.informer.byIndex(this.#index, metadata.uid)
  }

  orphansIn(namespace: string | undefined): Pod[] {
    return this.informer.list(namespace).filter((pod) => controllerOf(pod) === undefined)
  }

  /** Whether the informer shows all that was written for the key. */
  areCurrent(key: string): boolean {
    return this.#expectations.areMet(key)
  }

  forget(key: string): void {
    this.#expectations.forget(key)
  }

  async create(
    key: string,
    owner: PodOwner,
    template: PodTemplateSpec | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const pod = await this.control.create(owner, template, signal)
    // The informer may have been faster than the answer.
    if (this.informer.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid)
      this.#expectations.expect(key, pod.metadata.uid)
  }

  /** All of them, even when some fail; answers the first failure. */
  async deleteAll(
    key: string,
    owner: PodOwner,
    pods: readonly Pod[],
    signal: AbortSignal,
  ): Promise<PromiseRejectedResult | undefined> {
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        const { uid } = pod.metadata
        this.#expectations.expect(key, uid)
        await this.control.delete(owner, pod, signal).catch((error: unknown) => {
          this.#expectations.observe(key, uid)
          throw error
        })
      }),
    )
    return results.find((result) => result.status === 'rejected')
  }

  /** The pod was deleted otherwise: as long as the informer shows it running, the view is old. */
  expectDeletion(key: string, pod: Pod): void {
    const shown = this.informer.get(keyOf(pod))
    if (shown?.metadata.uid === pod.metadata.uid && shown.metadata.deletionTimestamp === undefined)
      this.#expectations.expect(key, pod.metadata.uid)
  }
}
