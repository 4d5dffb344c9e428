/** Makes the ReplicaSet of a Deployment's current template, or brings the annotations of an existing one up to date. */
import { isDeepStrictEqual } from 'node:util'
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'
import { DEPLOYMENTS, REPLICASETS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import type { ControllerContext } from '../controller.ts'
import { controllerOf, controllerReference, referenceTo } from '../object-key.ts'
import { Conditions, hasDeadline, type Wanted } from './conditions.ts'
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
  readonly #clock: Clock
  readonly #events: EventRecorder
  constructor({ client, clock, events }: Pick<ControllerContext, 'client' | 'clock' | 'events'>) {
    this.#client = client
    this.#clock = clock
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
    if (isCurrent) return { set: newest, isChanged: await this.#found(deployment, newest, signal) }
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
      await this.#record(
        deployment,
        set,
        progressing('True', 'NewReplicaSetCreated', `Created new replica set ${JSON.stringify(name)}`),
        signal,
      )
      return { set, isChanged: true }
    } catch (error) {
      if (isAlreadyExists(error)) return this.#collided(deployment, name, signal, error)
      if (!signal.aborted && !isNamespaceTerminating(error)) await this.#refused(deployment, name, error, signal)
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

  async #refused(deployment: Deployment, name: string, error: unknown, signal: AbortSignal): Promise<void> {
    const message = `Failed to create new replica set ${JSON.stringify(name)}: ${(error as Error).message}`
    this.#events.event(referenceTo(DEPLOYMENTS, deployment), 'Warning', 'ReplicaSetCreateError', message)
    await this.#record(deployment, null, progressing('False', 'ReplicaSetCreateError', message), signal)
  }

  /** The deadline counts from the first time that the set was seen, unless something says so already. */
  #found(deployment: Deployment, set: ReplicaSet, signal: AbortSignal): Promise<boolean> {
    const isKnown = deployment.status?.conditions?.some(({ type }) => type === 'Progressing') === true
    const message = `Found new replica set ${JSON.stringify(set.metadata.name)}`
    return this.#record(deployment, set, isKnown ? null : progressing('True', 'FoundNewReplicaSet', message), signal)
  }

  /** The Deployment shows the revision of its newest ReplicaSet and what became of it; true when that was news. */
  async #record(
    deployment: Deployment,
    set: ReplicaSet | null,
    progress: Wanted | null,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { metadata, status } = deployment
    const revision = set?.metadata.annotations?.[REVISION] ?? metadata.annotations?.[REVISION]
    const conditions = new Conditions(status?.conditions ?? [], this.#clock.now())
    if (progress !== null && hasDeadline(deployment)) conditions.set(progress)
    const isSame =
      metadata.annotations?.[REVISION] === revision && isDeepStrictEqual(conditions.list(), status?.conditions ?? [])
    if (isSame) return false
    const annotations = { ...metadata.annotations, ...(revision === undefined ? {} : { [REVISION]: revision }) }
    await this.#client.updateStatus(
      DEPLOYMENTS,
      { ...deployment, metadata: { ...metadata, annotations }, status: { ...status, conditions: conditions.list() } },
      signal,
    )
    return true
  }
}

const progressing = (status: 'True' | 'False', reason: string, message: string): Wanted => ({
  type: 'Progressing',
  status,
  reason,
  message,
})
