/** Deletes stored objects: preconditions, admission, and then removal or the mark that finalizers and kubelets act on. */
import type { Clock } from '#base/clock.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { DeleteOptions } from '#machinery/meta/v1.gen.ts'
import { conflict, notFound, type GroupResource } from '#machinery/status-error.ts'
import type { Store } from '#control-plane/store/store.ts'
import { WriteOutcome, type AdmissionChain } from '../admission/admission.ts'
import type { CachedObject } from '../watch-cache/cached-object.ts'
import { OPTIMISTIC_LOCK_TEXT, decodeStored, encode } from './object-writer.ts'
import { planDeletion } from './plan-deletion.ts'
import type { Resource } from './resource.ts'
import type { WriteContext } from './write-context.ts'

const DELETE_TRIES_MAX = 20

export type Deleted = {
  /** False: the object is still there, marked. */
  readonly removed: boolean
  readonly object: KubernetesObject
  /** The version behind it, for an answer by its bytes. */
  readonly stored: CachedObject | null
}

export type ObjectDeleterOptions = {
  readonly store: Store
  readonly clock: Clock
  readonly admission: AdmissionChain
  /** Called after an object is gone, to free what was kept for it outside (cluster addresses). */
  readonly onRemoved: (resource: Resource, object: KubernetesObject) => void
}

export class ObjectDeleter {
  readonly #options: ObjectDeleterOptions
  constructor(options: ObjectDeleterOptions) {
    this.#options = options
  }

  async delete(resource: Resource, options: DeleteOptions, context: WriteContext): Promise<Deleted> {
    const key = resource.keyOf(context.namespace, context.name)
    for (let attempt = 1; ; attempt++) {
      // The first try trusts the cache: the write compares revisions anyway.
      const current = (attempt === 1 ? resource.cache.peek(key) : null) ?? (await resource.cache.get(key))
      if (current === null) throw notFound(resource.groupResource, context.name)
      const outcome = await this.#deleteOnce(resource, key, current, options, context)
      if (outcome !== 'raced') return outcome
      if (attempt >= DELETE_TRIES_MAX) throw conflict(resource.groupResource, context.name, OPTIMISTIC_LOCK_TEXT)
    }
  }

  async #deleteOnce(
    resource: Resource,
    key: string,
    current: CachedObject,
    options: DeleteOptions,
    context: WriteContext,
  ): Promise<Deleted | 'raced'> {
    const object = decodeStored(resource, current)
    const refusal = checkPreconditions(resource, object, options)
    if (refusal !== null) {
      if ((await resource.cache.get(key))?.revision !== current.revision) return 'raced'
      throw refusal
    }
    if (options.ignoreStoreReadErrorWithClusterBreakingPotential === true) throw unsafeDeletion(resource, key, context)
    if (context.isAdmitted !== true) await this.#admit(resource, object, context)
    const plan = planDeletion(resource.kind, object, options, this.#options.clock.now())
    if (plan.outcome === 'wait') return { removed: false, object, stored: current }
    const next = plan.outcome === 'mark' ? plan.object : object
    const vanishes = plan.outcome === 'remove' || plan.vanishes
    if (context.dryRun) return { removed: vanishes, object: next, stored: null }
    if (plan.outcome === 'remove') return this.#remove(resource, key, object, current.revision)
    const value = encode(resource, next)
    const result = await this.#options.store.write(key, { expectedRevision: current.revision, value })
    if (!result.ok) return 'raced'
    // Whoever watches sees the end of the grace period before the object goes.
    if (vanishes) return this.#remove(resource, key, next, result.revision)
    const stored = resource.cache.storedObject(key, result.revision, value)
    return { removed: false, object: resource.fromStored(stored.object()), stored }
  }

  async #remove(
    resource: Resource,
    key: string,
    object: KubernetesObject,
    expectedRevision: number,
  ): Promise<Deleted | 'raced'> {
    const result = await this.#options.store.write(key, { expectedRevision, value: null })
    if (!result.ok) return 'raced'
    this.#options.onRemoved(resource, object)
    const metadata = { ...object.metadata, resourceVersion: String(result.revision) }
    return { removed: true, object: { ...object, metadata }, stored: null }
  }

  async #admit(resource: Resource, object: KubernetesObject, context: WriteContext): Promise<void> {
    const attributes = {
      operation: 'DELETE' as const,
      kind: resource.kind,
      object: null,
      oldObject: object,
      ...context,
      warn: (text: string) => context.strategy.warn(text),
      outcome: new WriteOutcome(),
    }
    await this.#options.admission.mutate(attributes)
    await this.#options.admission.validate(attributes)
  }
}

function checkPreconditions(
  resource: Resource,
  { metadata }: KubernetesObject,
  { preconditions }: DeleteOptions,
): Error | null {
  const { uid, resourceVersion } = preconditions ?? {}
  if (uid !== undefined && uid !== metadata.uid)
    return conflict(
      kindOf(resource),
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    return conflict(
      kindOf(resource),
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  return null
}

/** Upstream names the kind here, not the resource. */
const kindOf = ({ kind }: Resource): GroupResource => ({ group: kind.group, resource: kind.kind })

/** Only objects that cannot be read may be deleted unsafely, and here all can. */
function unsafeDeletion(resource: Resource, key: string, { name }: WriteContext): Error {
  const why = 'unsafe deletion is not allowed because the object is decodable from storage'
  return conflict(
    resource.groupResource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}
