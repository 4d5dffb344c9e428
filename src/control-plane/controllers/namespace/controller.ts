/** Empties namespaces that were deleted, pods first, and lets each go when nothing is left in it. */
import type { Namespace, Pod } from '#api/core/v1.gen.ts'
import { NAMESPACES, PODS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isConflict, isNotFound, StatusError } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { discoverResources } from '../deletable-resources.ts'
import { formatTime } from '../object-key.ts'
import { planConditions, type DeletionRound } from './plan.ts'

/** Finalizer in `spec.finalizers` that this controller takes away. */
const FINALIZER = 'kubernetes'
/** Admission of all API servers, of which there may be several, sees the deletion within this time (upstream's). */
const GRACE_MS_DEFAULT = 5_000
/** Time that finalizers of content get before the next look. */
const FINALIZERS_MS = 15_000

type Totals = { readonly remaining: Map<string, number>; readonly finalizers: Map<string, number>; errors: string[] }

export class NamespaceController implements Controller {
  readonly name = 'namespace-controller'
  readonly workers = 10
  readonly #client: Client
  readonly #clock: Clock
  readonly #namespaces: Informer<Namespace>
  readonly #pods: Informer<Pod>
  readonly #graceMs: number
  /** Namespaces whose time of grace is over. */
  readonly #emptying = new Set<string>()

  constructor({ client, clock, informers, options }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#namespaces = informers.informer(NAMESPACES)
    this.#pods = informers.informer(PODS)
    this.#graceMs = options.namespaceDeletionGraceMs ?? GRACE_MS_DEFAULT
  }

  watch(enqueue: Enqueue): void {
    const onNamespace = ({ metadata }: Namespace): void => {
      if (metadata.deletionTimestamp !== undefined) enqueue(metadata.name, this.#graceMs)
    }
    this.#namespaces.addHandler({
      added: onNamespace,
      updated: onNamespace,
      deleted: ({ metadata }) => this.#emptying.delete(metadata.name),
    })
    // Most pods end long before their grace period does; the rest of the content waits for the last one.
    this.#pods.addHandler({
      deleted: ({ metadata: { namespace = '' } }) => {
        if (this.#emptying.has(namespace) && this.#pods.list(namespace).length === 0) enqueue(namespace)
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (this.#namespaces.get(key)?.metadata.deletionTimestamp === undefined) return {}
    this.#emptying.add(key)
    const namespace = await this.#begin(key, signal)
    if (namespace === null || !(namespace.spec?.finalizers ?? []).includes(FINALIZER)) return {}
    const { totals, graceMs, isComplete } = await this.#deleteContent(namespace, signal)
    if (totals.errors.length > 0) throw new Error(totals.errors.join('; '))
    if (totals.remaining.size > 0 || !isComplete)
      return { requeueAfterMs: (graceMs > 0 ? graceMs : FINALIZERS_MS) / 2 + 1000 }
    await this.#finalize(key, signal)
    return {}
  }

  /** Phase Terminating; null when the namespace is gone. */
  async #begin(name: string, signal: AbortSignal): Promise<Namespace | null> {
    try {
      const namespace = await this.#client.get<Namespace>(NAMESPACES, '', name, signal)
      if (namespace.metadata.deletionTimestamp === undefined || namespace.status?.phase === 'Terminating')
        return namespace
      const status = { ...namespace.status, phase: 'Terminating' }
      return await this.#client.updateStatus<Namespace>(NAMESPACES, { ...namespace, status }, signal)
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }

  async #deleteContent(
    namespace: Namespace,
    signal: AbortSignal,
  ): Promise<{ totals: Totals; graceMs: number; isComplete: boolean }> {
    const { name } = namespace.metadata
    const totals: Totals = { remaining: new Map(), finalizers: new Map(), errors: [] }
    const { resources, failedGroups } = await discoverResources(this.#client, ['delete', 'list'], signal)
    const discoveryError =
      failedGroups.length === 0
        ? null
        : `Discovery failed for some groups, ${failedGroups.length} failing: unable to retrieve the complete list of server APIs: ${failedGroups.join(', ')}`
    if (discoveryError !== null) totals.errors.push(discoveryError)
    const contents = resources.filter((resource) => resource.namespaced)
    const arePodsGone = (await this.#deleteAll(PODS, name, totals, signal)) === 0
    if (arePodsGone)
      await Promise.all(
        contents
          .filter(({ group, resource }) => group !== '' || resource !== 'pods')
          .map((resource) => this.#deleteAll(resource, name, totals, signal)),
      )
    const contentErrors = totals.errors.filter((error) => error !== discoveryError)
    await this.#writeConditions(namespace, { ...totals, discoveryError, contentErrors }, signal)
    return { totals, graceMs: arePodsGone ? 0 : await this.#graceOf(name, signal), isComplete: arePodsGone }
  }

  /** Answers how many objects remain. */
  async #deleteAll(resource: ResourceRef, namespace: string, totals: Totals, signal: AbortSignal): Promise<number> {
    try {
      const before = await this.#client.list(resource, namespace, {}, signal)
      if (before.items.length === 0) return 0
      await this.#deleteEach(resource, namespace, before.items, signal)
      const { items } = await this.#client.list(resource, namespace, {}, signal)
      if (items.length > 0) totals.remaining.set(`${resource.resource}.${resource.group}`, items.length)
      for (const finalizer of items.flatMap(({ metadata }) => metadata.finalizers ?? []))
        totals.finalizers.set(finalizer, (totals.finalizers.get(finalizer) ?? 0) + 1)
      return items.length
    } catch (error) {
      if (signal.aborted) throw error
      // A kind that was taken away since discovery has no content.
      if (isNotFound(error)) return 0
      totals.errors.push(error instanceof Error ? error.message : String(error))
      return 1
    }
  }

  async #deleteEach(
    resource: ResourceRef,
    namespace: string,
    objects: readonly KubernetesObject[],
    signal: AbortSignal,
  ): Promise<void> {
    const options = { propagationPolicy: 'Background' }
    try {
      await this.#client.deleteCollection(resource, namespace, options, {}, signal)
    } catch (error) {
      if (!(error instanceof StatusError) || (error.code !== 405 && error.code !== 404)) throw error
      for (const { metadata } of objects)
        await this.#client.delete(resource, namespace, metadata.name, options, signal).catch((failure: unknown) => {
          if (!isNotFound(failure)) throw failure
        })
    }
  }

  async #writeConditions(namespace: Namespace, round: DeletionRound, signal: AbortSignal): Promise<void> {
    const conditions = planConditions(namespace, round, formatTime(this.#clock.now()))
    if (conditions === null) return
    const status = { ...namespace.status, conditions }
    try {
      await this.#client.updateStatus<Namespace>(NAMESPACES, { ...namespace, status }, signal)
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }

  /** The longest time that the pods which still run may take. */
  async #graceOf(namespace: string, signal: AbortSignal): Promise<number> {
    const { items } = await this.#client.list<Pod>(PODS, namespace, {}, signal)
    const running = items.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    return Math.max(0, ...running.map(({ spec }) => (spec.terminationGracePeriodSeconds ?? 0) * 1000))
  }

  async #finalize(name: string, signal: AbortSignal): Promise<void> {
    try {
      const namespace = await this.#client.get<Namespace>(NAMESPACES, '', name, signal)
      const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER)
      await this.#client.putSubresource<Namespace>(
        NAMESPACES,
        { ...namespace, spec: { ...namespace.spec, finalizers } },
        'finalize',
        signal,
      )
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
