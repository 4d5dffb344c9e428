/** Creates, deletes, adopts and releases pods on behalf of their owner, with upstream's events. */
import type { Pod, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { controllerReference, referenceTo } from '../object-key.ts'

export type PodOwner = {
  readonly resource: ResourceRef
  readonly object: KubernetesObject
  /** Start of the generated names; the owner's name and a dash when absent. */
  readonly podPrefix?: string
}

/** The base of generated pod names leaves room for the suffix. */
const prefixOf = (name: string): string => `${name}-`

export class PodControl {
  readonly #client: Client
  readonly #events: EventRecorder
  constructor(client: Client, events: EventRecorder) {
    this.#client = client
    this.#events = events
  }

  async create(
    { resource, object, podPrefix = prefixOf(object.metadata.name) }: PodOwner,
    template: PodTemplateSpec | undefined,
    signal: AbortSignal,
  ): Promise<Pod> {
    const { labels, annotations, finalizers } = template?.metadata ?? {}
    const about = referenceTo(resource, object)
    try {
      const pod = await this.#client.create<Pod>(
        PODS,
        {
          metadata: {
            generateName: podPrefix,
            ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
            ...(labels === undefined ? {} : { labels }),
            ...(annotations === undefined ? {} : { annotations }),
            ...(finalizers === undefined ? {} : { finalizers }),
            ownerReferences: [controllerReference(resource, object)],
          },
          spec: template!.spec!,
        },
        signal,
      )
      this.#events.event(about, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
      return pod
    } catch (error) {
      if (!signal.aborted && !isNamespaceTerminating(error))
        this.#events.event(about, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
      throw error
    }
  }

  /** A pod that is gone already is as good as deleted. */
  async delete({ resource, object }: PodOwner, pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    const about = referenceTo(resource, object)
    try {
      await this.#client.delete(PODS, namespace!, name, { preconditions: { uid } }, signal)
      this.#events.event(about, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    } catch (error) {
      if (isNotFound(error)) return
      if (!signal.aborted)
        this.#events.event(about, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`)
      throw error
    }
  }

  /** Makes an orphan that the selector matches a dependent. */
  async adopt({ resource, object }: PodOwner, pod: Pod, signal: AbortSignal): Promise<void> {
    const body = { metadata: { uid: pod.metadata.uid, ownerReferences: [controllerReference(resource, object)] } }
    await this.#client.patch(PODS, pod.metadata.namespace!, pod.metadata.name, 'strategic', body, {}, signal)
  }

  /** Lets a dependent go that the selector does not match any more. */
  async release({ object }: PodOwner, pod: Pod, signal: AbortSignal): Promise<void> {
    const body = {
      metadata: { uid: pod.metadata.uid, ownerReferences: [{ $patch: 'delete', uid: object.metadata.uid }] },
    }
    await ignoreGone(
      this.#client.patch(PODS, pod.metadata.namespace!, pod.metadata.name, 'strategic', body, {}, signal),
    )
  }
}
