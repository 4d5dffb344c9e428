/** Deletes objects whose owners are gone, and lets owners go that wait for their dependents or leave them behind. */
import type { ResourceRef } from '#api/resource-ref.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Client } from '#client/client.ts'
import type { InformerFactory } from '#client/informer.ts'
import type { Logger } from '#base/log.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { OwnerReference } from '#machinery/meta/v1.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { discoverResources } from '../deletable-resources.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { FOREGROUND, isWaitingForDependents, ORPHAN, OwnerGraph, type GraphNode } from './graph.ts'
import { blockingDependents, isCircular, planObject, type OwnedBy, type OwnerState } from './plan.ts'

/** The key that means: look which resources there are. */
const DISCOVERY = 'discovery'
/** A new kind is served shortly after its definition was written. */
const DISCOVERY_DELAY_MS = 1_000
/** Events have no owners and there are too many of them. */
const IGNORED = ['events']
/** Their objects bring new kinds. */
const DEFINES_KINDS = ['apiextensions.k8s.io/customresourcedefinitions', 'apiregistration.k8s.io/apiservices']

export class GarbageCollectorController implements Controller {
  readonly name = 'garbage-collector-controller'
  readonly workers = 20
  readonly #client: Client
  readonly #informers: InformerFactory
  readonly #log: Logger
  readonly #graph = new OwnerGraph()
  readonly #resources = new Map<string, ResourceRef>()
  readonly #watched = new Set<string>()
  /** Without all informers a dependent could be missed. */
  #isComplete = false
  #enqueue: Enqueue = () => {}

  constructor({ client, informers, log }: ControllerContext) {
    this.#client = client
    this.#informers = informers
    this.#log = log
  }

  watch(enqueue: Enqueue): void {
    this.#enqueue = enqueue
    enqueue(DISCOVERY)
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (key === DISCOVERY) await this.#discover(signal)
    else if (this.#isComplete) await this.#collect(key, signal)
    return {}
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const { resources, failedGroups } = await discoverResources(this.#client, ['delete', 'list', 'watch'], signal)
    const added: Promise<void>[] = []
    for (const resource of resources) {
      this.#resources.set(`${resource.group}/${resource.kind}`, resource)
      const name = `${resource.group}/${resource.resource}`
      if (IGNORED.includes(resource.resource) || this.#watched.has(name)) continue
      this.#watched.add(name)
      const informer = this.#informers.informer(resource)
      informer.addHandler({
        added: (object) => this.#changed(resource, object),
        updated: (object) => this.#changed(resource, object),
        deleted: ({ metadata }) => this.#deleted(metadata.uid),
      })
      if (DEFINES_KINDS.includes(name)) this.#discoverOnChange(resource)
      added.push(informer.synced())
    }
    if (failedGroups.length > 0) this.#log.warn('some groups could not be discovered', { failedGroups })
    // Not awaited: a kind that never answers must not hold up the worker.
    if (added.length > 0 || !this.#isComplete) void Promise.all(added).then(() => this.#complete())
  }

  #discoverOnChange(resource: ResourceRef): void {
    const onKinds = (): void => this.#enqueue(DISCOVERY, DISCOVERY_DELAY_MS)
    this.#informers.informer(resource).addHandler({ added: onKinds, updated: onKinds, deleted: onKinds })
  }

  #complete(): void {
    if (this.#isComplete) return
    this.#isComplete = true
    for (const uid of this.#graph.interesting()) this.#enqueue(uid)
  }

  #changed(resource: ResourceRef, object: KubernetesObject): void {
    const old = this.#graph.set(resource, object)
    const node = this.#graph.get(object.metadata.uid)!
    if (node.owners.length > 0 || node.isDeleting) this.#enqueue(node.uid)
    // The owner may wait for a dependent that has just stopped to block it.
    for (const { uid } of old?.owners ?? []) this.#enqueueWaiting(uid)
  }

  #deleted(uid: string): void {
    const node = this.#graph.delete(uid)
    for (const dependent of this.#graph.dependentsOf(uid)) this.#enqueue(dependent.uid)
    for (const owner of node?.owners ?? []) this.#enqueueWaiting(owner.uid)
  }

  #enqueueWaiting(uid: string): void {
    const owner = this.#graph.get(uid)
    if (owner?.isDeleting === true) this.#enqueue(uid)
  }

  async #collect(uid: string, signal: AbortSignal): Promise<void> {
    const node = this.#graph.get(uid)
    if (node === undefined) return
    if (node.isDeleting) return this.#release(node, signal)
    const owners = await Promise.all(
      node.owners.map(async (owner): Promise<OwnedBy> => ({ owner, state: await this.#stateOf(owner, node, signal) })),
    )
    const dependents = this.#graph.dependentsOf(uid)
    const plan = planObject(node, owners, dependents)
    if (plan.action === 'drop-owners') await this.#dropOwners(node, plan.uids, signal)
    if (plan.action !== 'delete') return
    if (isCircular(dependents)) await this.#unblock(node, signal)
    await ignoreGone(this.#delete(node, plan.propagationPolicy, signal))
  }

  /**
   * The watches of owner and dependent are not in step: the owner may be seen to go before the dependent is seen to have been let go
   * or adopted. So the server's own view decides; what differs from it here, the informer will bring again.
   */
  async #delete(node: GraphNode, propagationPolicy: string, signal: AbortSignal): Promise<void> {
    const { resource, namespace, name, uid } = node
    const { metadata } = await this.#client.get(resource, namespace, name, signal)
    if (metadata.uid !== uid || !isSemanticallyEqual(metadata.ownerReferences, node.owners)) return
    const preconditions = { uid, resourceVersion: metadata.resourceVersion }
    await this.#client.delete(resource, namespace, name, { propagationPolicy, preconditions }, signal)
  }

  /** An owner that is unknown here is asked for: its informer may be behind. */
  async #stateOf(owner: OwnerReference, node: GraphNode, signal: AbortSignal): Promise<OwnerState> {
    const known = this.#graph.get(owner.uid)
    if (known !== undefined && (known.namespace === '' || known.namespace === node.namespace))
      return isWaitingForDependents(known) ? 'waiting' : 'present'
    const [group = '', version] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['', owner.apiVersion]
    const resource = this.#resources.get(`${group}/${owner.kind}`)
    if (resource === undefined) {
      this.#enqueue(DISCOVERY, DISCOVERY_DELAY_MS)
      throw new Error(`no resource of kind ${owner.kind} in ${group}/${version}`)
    }
    // A cluster-scoped object cannot have an owner in a namespace: which one would it be?
    if (resource.namespaced && node.namespace === '') return 'present'
    try {
      const live = await this.#client.get(resource, resource.namespaced ? node.namespace : '', owner.name, signal)
      return live.metadata.uid === owner.uid ? 'present' : 'absent'
    } catch (error) {
      if (isNotFound(error)) return 'absent'
      throw error
    }
  }

  /** An object under deletion: takes away the collector's own finalizers when their work is done. */
  async #release(node: GraphNode, signal: AbortSignal): Promise<void> {
    const dependents = this.#graph.dependentsOf(node.uid)
    if (node.finalizers.includes(ORPHAN)) {
      for (const dependent of dependents) await this.#dropOwners(dependent, [node.uid], signal)
      await this.#removeFinalizer(node, ORPHAN, signal)
    } else if (node.finalizers.includes(FOREGROUND)) {
      const blocking = blockingDependents(node, dependents)
      for (const { uid, isDeleting } of dependents) if (!isDeleting) this.#enqueue(uid)
      if (blocking.length === 0) await this.#removeFinalizer(node, FOREGROUND, signal)
    }
  }

  async #dropOwners(node: GraphNode, uids: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#patchLive(node, signal, ({ ownerReferences = [] }) => ({
      ownerReferences: ownerReferences.filter(({ uid }) => !uids.includes(uid)),
    }))
  }

  async #unblock(node: GraphNode, signal: AbortSignal): Promise<void> {
    await this.#patchLive(node, signal, ({ ownerReferences = [] }) => ({
      ownerReferences: ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
    }))
  }

  async #removeFinalizer(node: GraphNode, finalizer: string, signal: AbortSignal): Promise<void> {
    await this.#patchLive(node, signal, ({ finalizers = [] }) => ({
      finalizers: finalizers.filter((name) => name !== finalizer),
    }))
  }

  /** Guarded by uid and resourceVersion: a change meanwhile fails the patch, and the key is tried again. */
  async #patchLive(
    { resource, namespace, name, uid }: GraphNode,
    signal: AbortSignal,
    change: (metadata: KubernetesObject['metadata']) => object,
  ): Promise<void> {
    await ignoreGone(
      (async () => {
        const { metadata } = await this.#client.get(resource, namespace, name, signal)
        if (metadata.uid !== uid) return
        const { resourceVersion } = metadata
        const body = { metadata: { uid, resourceVersion, ...change(metadata) } }
        await this.#client.patch(resource, namespace, name, 'merge', body, {}, signal)
      })(),
    )
  }
}
