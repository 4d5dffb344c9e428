/** Makes the ReplicaSet of a Deployment's current template, or brings the annotations of an existing one up to date. */
import { isDeepStrictEqual } from 'node:util'
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'
import { DEPLOYMENTS, REPLICASETS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import { controllerOf, controllerReference, referenceTo } from '../object-key.ts'
import { REVISION, maxRevision, newSetAnnotations, sizeAnnotations } from './revisions.ts'
import { boundsOf, newSetSize, replicasOf } from './sizes.ts'
import { HASH_LABEL, isSameTemplate, templateHash } from './template-hash.ts'

export type Ensured = {
  readonly set: ReplicaSet
  /** Something was written: the caller waits for it to come back. */
  readonly isChanged: boolean
}

export class NewReplicaSet {
  readonly #client: Client
  readonly #events: EventRecorder
  constructor(client: Client, events: EventRecorder) {
    this.#client = client
    this.#events = events
  }

  async ensure(
    deployment: Deployment,
    newest: ReplicaSet | null,
    old: readonly ReplicaSet[],
    signal: AbortSignal,
  ): Promise<Ensured> {
    const revision = maxRevision(old) + 1
    if (newest === null) return this.#create(deployment, old, revision, signal)
    const annotations = newSetAnnotations(deployment, newest, revision, false)
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0
    const isCurrent =
      isDeepStrictEqual(annotations, newest.metadata.annotations ?? {}) &&
      (newest.spec.minReadySeconds ?? 0) === minReadySeconds
    if (isCurrent) return { set: newest, isChanged: await this.#writeRevision(deployment, newest, signal) }
    const set = await this.#client.update(
      REPLICASETS,
      { ...newest, metadata: { ...newest.metadata, annotations }, spec: { ...newest.spec, minReadySeconds } },
      signal,
    )
    return { set, isChanged: true }
  }

  async #create(
    deployment: Deployment,
    old: readonly ReplicaSet[],
    revision: number,
    signal: AbortSignal,
  ): Promise<Ensured> {
    const { metadata, spec } = deployment
    const hash = templateHash(spec.template!, deployment.status?.collisionCount)
    const desired = replicasOf(deployment)
    const name = `${metadata.name}-${hash}`
    const labels = { ...spec.template!.metadata?.labels, [HASH_LABEL]: hash }
    const annotations = {
      ...newSetAnnotations(deployment, null, revision, true),
      ...sizeAnnotations(desired, desired + boundsOf(deployment).surge),
    }
    const replicas = newSetSize(deployment, old, 0)
    try {
      const set = await this.#client.create<ReplicaSet>(
        REPLICASETS,
        {
          metadata: {
            name,
            namespace: metadata.namespace!,
            labels,
            annotations,
            ownerReferences: [controllerReference(DEPLOYMENTS, deployment)],
          },
          spec: {
            replicas,
            ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
            selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash } },
            template: { ...spec.template, metadata: { ...spec.template!.metadata, labels } },
          },
        },
        signal,
      )
      if (replicas > 0)
        this.#events.event(
          referenceTo(DEPLOYMENTS, deployment),
          'Normal',
          'ScalingReplicaSet',
          `Scaled up replica set ${name} from 0 to ${replicas}`,
        )
      await this.#writeRevision(deployment, set, signal)
      return { set, isChanged: true }
    } catch (error) {
      if (isAlreadyExists(error)) return this.#collided(deployment, name, signal, error)
      if (!signal.aborted && !isNamespaceTerminating(error))
        this.#events.event(
          referenceTo(DEPLOYMENTS, deployment),
          'Warning',
          'ReplicaSetCreateError',
          `Failed to create new replica set ${JSON.stringify(name)}: ${(error as Error).message}`,
        )
      throw error
    }
  }

  /** A set of that name: ours that the informer has not shown yet, or a stranger's, which calls for another hash. */
  async #collided(deployment: Deployment, name: string, signal: AbortSignal, error: unknown): Promise<Ensured> {
    const set = await this.#client.get(REPLICASETS, deployment.metadata.namespace!, name, signal)
    if (
      controllerOf(set)?.uid === deployment.metadata.uid &&
      isSameTemplate(set.spec.template, deployment.spec.template)
    )
      return { set, isChanged: true }
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
    await this.#client.updateStatus(
      DEPLOYMENTS,
      { ...deployment, status: { ...deployment.status, collisionCount } },
      signal,
    )
    throw error
  }

  /** The Deployment shows the revision of its newest ReplicaSet. */
  async #writeRevision(deployment: Deployment, set: ReplicaSet, signal: AbortSignal): Promise<boolean> {
    const revision = set.metadata.annotations?.[REVISION]
    if (revision === undefined || deployment.metadata.annotations?.[REVISION] === revision) return false
    const { namespace, name, uid } = deployment.metadata
    await this.#client.patch(
      DEPLOYMENTS,
      namespace!,
      name,
      'merge',
      { metadata: { uid, annotations: { [REVISION]: revision } } },
      {},
      signal,
    )
    return true
  }
}
