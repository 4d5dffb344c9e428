/** Creates and updates stored objects: metadata that the server owns, the kind's rules, admission, and compare-and-swap. */
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import { randomNameSuffix, randomUuid, type RandomSource } from '#base/random.ts'
import type { FieldError } from '#machinery/field-error.ts'
import { invalidFrom, invalidValue } from '#machinery/field-error.ts'
import { recordUpdate, withoutTimeChanges } from '#machinery/field-ownership/record-update.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { encodeObject } from '#machinery/schema/encode.ts'
import { cloneDecoded } from '#machinery/schema/zero-values.ts'
import { alreadyExists, conflict, notFound, StatusError } from '#machinery/status-error.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '#machinery/validation/object-meta.ts'
import { showAsGo } from '#api/go-values/show-as-go.ts'
import { resetFieldsOf } from '#api/reset-fields.ts'
import type { Store } from '#control-plane/store/store.ts'
import {
  WriteOutcome,
  type AdmissionAttributes,
  type AdmissionChain,
  type AdmissionOperation,
} from '../admission/admission.ts'
import type { CachedObject } from '../watch-cache/cached-object.ts'
import type { Expiry } from './expiry.ts'
import type { Resource } from './resource.ts'
import type { WriteContext } from './write-context.ts'

export const OPTIMISTIC_LOCK_TEXT =
  'the object has been modified; please apply your changes to the latest version and try again'

/** Tries at a free name for `generateName` (upstream's RetryGenerateName). */
const NAME_TRIES_MAX = 8
/** Upstream cuts the base so that the suffix still fits. */
const GENERATED_BASE_LENGTH_MAX = 58
/** Tries of an update whose sender did not say which version it changes. */
const UPDATE_TRIES_MAX = 20

export type Written = {
  readonly object: KubernetesObject
  /** The stored object behind it, for an answer by its bytes; null for a dry run. */
  readonly stored: CachedObject | null
  readonly created: boolean
}

/**
 * Makes the wanted object of the current one (null: there is none). May throw StatusError. Called again when somebody else wrote
 * meanwhile; each time it gets an object of its own.
 */
export type Change = (current: KubernetesObject | null) => Promise<Wanted> | Wanted

export type Wanted = {
  readonly object: KubernetesObject
  /** Apply has worked out who owns what already. */
  readonly ownersAreKnown?: boolean
  /** The server itself changes the object (a binding, an eviction): the kind's rules for clients do not apply. */
  readonly isOwnChange?: boolean
  /** The client asked to forget all owners. */
  readonly resetsOwners?: boolean
  /** Nothing is to be written: the current object is the answer. */
  readonly unchanged?: boolean
}

export type ObjectWriterOptions = {
  readonly store: Store
  readonly clock: Clock
  readonly random: RandomSource
  readonly admission: AdmissionChain
  /** For the kinds that expire. */
  readonly expiry: Expiry
  /** Called when an update took the last finalizer and the object with it, to free what was kept for it outside (cluster addresses). */
  readonly onRemoved: (resource: Resource, object: KubernetesObject) => void
}

export class ObjectWriter {
  readonly #options: ObjectWriterOptions
  constructor(options: ObjectWriterOptions) {
    this.#options = options
  }

  /** `object` is decoded and defaulted, and ours to change. */
  async create(resource: Resource, wanted: Wanted, context: WriteContext): Promise<Written> {
    const { object } = wanted
    const { metadata } = object
    const isNamed = Boolean(metadata.name)
    const base = metadata.generateName ?? ''
    for (let attempt = 1; ; attempt++) {
      const candidate = isNamed || base === '' || attempt === 1 ? object : cloneDecoded(object)
      if (!isNamed && base !== '')
        candidate.metadata.name = base.slice(0, GENERATED_BASE_LENGTH_MAX) + randomNameSuffix(this.#options.random)
      try {
        return await this.#createOnce(resource, { ...wanted, object: candidate }, context)
      } catch (error) {
        const mayRetry = !isNamed && base !== '' && attempt < NAME_TRIES_MAX
        if (!mayRetry || !isTakenName(error)) throw error
      }
    }
  }

  async #createOnce(resource: Resource, wanted: Wanted, context: WriteContext): Promise<Written> {
    const outcome = new WriteOutcome()
    let isStored = false
    try {
      const written = await this.#tryCreate(resource, wanted, context, outcome)
      isStored = written.stored !== null
      return written
    } finally {
      outcome.settle(isStored)
    }
  }

  async #tryCreate(resource: Resource, wanted: Wanted, context: WriteContext, outcome: WriteOutcome): Promise<Written> {
    const { object } = wanted
    const { metadata } = object
    const { clock, random } = this.#options
    delete metadata.deletionTimestamp
    delete metadata.deletionGracePeriodSeconds
    delete metadata.selfLink
    this.#setOwners(resource, null, wanted, context)
    const attributes = this.#attributes(resource, 'CREATE', { object, old: null, outcome }, context)
    await this.#options.admission.mutate(attributes)
    metadata.uid = randomUuid(random)
    metadata.creationTimestamp = formatSeconds(clock.now())
    resource.kind.strategy.prepareForCreate?.(object, context.strategy)
    const { kind } = resource
    const rule = kind.nameRule === undefined ? {} : { nameRule: kind.nameRule }
    const errors = validateObjectMeta(metadata, { namespaced: kind.namespaced, ...rule })
    errors.push(...(kind.strategy.validate?.(object, context.strategy) ?? []))
    throwErrors(resource, object, errors)
    for (const text of kind.strategy.warnings?.(object, null) ?? []) context.strategy.warn(text)
    warnInert(kind, object, context)
    await this.#options.admission.validate(attributes)
    const key = resource.keyOf(metadata.namespace ?? '', metadata.name)
    if (context.dryRun) {
      if ((await resource.cache.get(key)) !== null) throw alreadyExists(resource.groupResource, metadata.name)
      return { object, stored: null, created: true }
    }
    checkNoVersion(object)
    const bytes = encode(resource, object)
    const result = await this.#options.store.write(key, {
      expectedRevision: 0,
      value: bytes,
      ...(await this.#lease(resource)),
    })
    if (!result.ok) throw alreadyExists(resource.groupResource, metadata.name)
    return this.#written(resource, key, result.revision, bytes, true)
  }

  /** Reads the object, lets `change` decide, and writes if nobody else did meanwhile. */
  async update(resource: Resource, change: Change, context: WriteContext): Promise<Written> {
    const key = resource.keyOf(context.namespace, context.name)
    let current = resource.cache.peek(key) ?? (await resource.cache.get(key))
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#updateOnce(resource, key, current, change, context)
      if (outcome !== 'raced') return outcome
      if (attempt >= UPDATE_TRIES_MAX) throw conflict(resource.groupResource, context.name, OPTIMISTIC_LOCK_TEXT)
      current = await resource.cache.get(key)
    }
  }

  async #updateOnce(
    resource: Resource,
    key: string,
    current: CachedObject | null,
    change: Change,
    context: WriteContext,
  ): Promise<Written | 'raced'> {
    const old = current === null ? null : decodeStored(resource, current)
    if (old !== null) resource.kind.strategy.setDefaults?.(old, this.#options.clock.now(), context.strategy.features)
    let wanted: Wanted
    try {
      wanted = await change(current === null ? null : decodeStored(resource, current))
    } catch (error) {
      // What was read may be old: a refusal counts only when it is about the newest version.
      if (current !== null && (await isStale(resource, key, current))) return 'raced'
      throw error
    }
    if (old === null) {
      delete (wanted.object.metadata as Partial<KubernetesObject['metadata']>).resourceVersion
      return this.create(resource, wanted, context)
    }
    if (wanted.unchanged === true) return { object: old, stored: current, created: false }
    const { object } = wanted
    const sent = readVersion(object.metadata.resourceVersion)
    if (sent && sent !== old.metadata.resourceVersion) {
      if (await isStale(resource, key, current!)) return 'raced'
      throw conflict(resource.groupResource, context.name, OPTIMISTIC_LOCK_TEXT)
    }
    if (!sent && resource.kind.strategy.requireResourceVersion === true)
      throw invalidFrom({ group: resource.kind.group, kind: resource.kind.resource }, context.name, [
        invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
      ])
    if (wanted.ownersAreKnown !== true)
      checkUid(resource, context.dryRun ? key.replace(/^\/registry/, '') : key, object, old)
    return this.#admitAndStore(resource, key, { wanted, old, current: current! }, context)
  }

  async #admitAndStore(
    resource: Resource,
    key: string,
    { wanted, old, current }: { wanted: Wanted; old: KubernetesObject; current: CachedObject },
    context: WriteContext,
  ): Promise<Written | 'raced'> {
    const outcome = new WriteOutcome()
    let isStored = false
    try {
      await this.#admitUpdate(resource, wanted, { old, outcome }, context)
      const written = await this.#store(resource, key, { object: wanted.object, old, current }, context)
      isStored = written !== 'raced' && !context.dryRun
      return written
    } finally {
      outcome.settle(isStored)
    }
  }

  async #admitUpdate(
    resource: Resource,
    wanted: Wanted,
    { old, outcome }: { old: KubernetesObject; outcome: WriteOutcome },
    context: WriteContext,
  ): Promise<void> {
    const { object } = wanted
    this.#setOwners(resource, old, wanted, context)
    const attributes = this.#attributes(resource, 'UPDATE', { object, old, outcome }, context)
    if (context.isAdmitted !== true) await this.#options.admission.mutate(attributes)
    keepServerMeta(object, old)
    if (wanted.isOwnChange === true) return
    const { strategy } = resource.kind
    strategy.prepareForUpdate?.(object, old, context.strategy)
    keepDeletion(object, old)
    const errors: FieldError[] = validateObjectMetaUpdate(object.metadata, old.metadata)
    errors.push(...(strategy.validateUpdate?.(object, old, context.strategy) ?? []))
    throwErrors(resource, object, errors)
    // A status says what is, and nobody is warned of that.
    if (context.subresource !== 'status') {
      for (const text of strategy.warnings?.(object, old) ?? []) context.strategy.warn(text)
      warnInert(resource.kind, object, context)
    }
    if (context.isAdmitted !== true) await this.#options.admission.validate(attributes)
  }

  async #store(
    resource: Resource,
    key: string,
    { object, old, current }: { object: KubernetesObject; old: KubernetesObject; current: CachedObject },
    context: WriteContext,
  ): Promise<Written | 'raced'> {
    const kept = withoutTimeChanges(old.metadata.managedFields, object.metadata.managedFields)
    const updatedOwners = object.metadata.managedFields
    if (kept !== undefined) object.metadata.managedFields = kept
    const before = encode(resource, old)
    // Equal but for the times of owners: no write, and so no new version.
    if (before.equals(encode(resource, object))) return { object: old, stored: current, created: false }
    if (updatedOwners !== undefined) object.metadata.managedFields = updatedOwners
    if (context.dryRun)
      return {
        object: { ...object, metadata: { ...object.metadata, resourceVersion: old.metadata.resourceVersion } },
        stored: null,
        created: false,
      }
    const isFinished = isReadyToVanish(resource, object)
    const bytes = encode(resource, object)
    const result = await this.#options.store.write(key, {
      expectedRevision: current.revision,
      value: isFinished ? null : bytes,
      ...(isFinished ? {} : await this.#lease(resource)),
    })
    if (!result.ok) return 'raced'
    if (isFinished) {
      this.#options.onRemoved(resource, old)
      // Upstream answers with the version before the deletion.
      return {
        object: { ...object, metadata: { ...object.metadata, resourceVersion: old.metadata.resourceVersion } },
        stored: null,
        created: false,
      }
    }
    return this.#written(resource, key, result.revision, bytes, false)
  }

  async #lease({ storedKind }: Resource): Promise<{ readonly lease?: number }> {
    return storedKind.expires === true ? { lease: await this.#options.expiry.lease() } : {}
  }

  #written(resource: Resource, key: string, revision: number, bytes: Buffer, created: boolean): Written {
    const stored = resource.cache.storedObject(key, revision, bytes)
    // Decoded when somebody looks: most answers are the bytes.
    return {
      get object() {
        return resource.fromStored(stored.object())
      },
      stored,
      created,
    }
  }

  #setOwners(resource: Resource, live: KubernetesObject | null, wanted: Wanted, context: WriteContext): void {
    if (wanted.ownersAreKnown === true) return
    const { object } = wanted
    const { kind } = resource
    const resetFields = resetFieldsOf(
      { group: kind.group, kind: kind.kind, hasStatus: kind.hasStatus },
      context.subresource,
    )
    const owners = recordUpdate({
      schema: resource.schema,
      apiVersion: resource.apiVersion,
      kind: kind.kind,
      live,
      updated: object,
      manager: context.fieldManager,
      subresource: context.subresource,
      nowMs: this.#options.clock.now(),
      convert: resource.convert,
      ...(wanted.resetsOwners === true ? { resets: true } : {}),
      ...(resetFields === undefined ? {} : { resetFields }),
    })
    if (owners === undefined) delete object.metadata.managedFields
    else object.metadata.managedFields = owners
  }

  #attributes(
    resource: Resource,
    operation: AdmissionOperation,
    { object, old, outcome }: { object: KubernetesObject; old: KubernetesObject | null; outcome: WriteOutcome },
    context: WriteContext,
  ): AdmissionAttributes {
    return {
      operation,
      kind: resource.kind,
      object,
      oldObject: old,
      ...context,
      name: object.metadata.name || context.name,
      warn: (text) => context.strategy.warn(text),
      outcome,
    }
  }
}

export function decodeStored(resource: Resource, stored: CachedObject): KubernetesObject {
  return resource.fromStored(JSON.parse(stored.bytes.toString()) as KubernetesObject)
}

/** As it is stored: without resourceVersion, which is the store's. */
export function encode(resource: Resource, object: KubernetesObject): Buffer {
  const { resourceVersion: _, ...metadata } = object.metadata
  const stored = resource.toStored({ ...object, metadata: metadata as KubernetesObject['metadata'] })
  return encodeObject(resource.storedSchema, stored)
}

async function isStale(resource: Resource, key: string, current: CachedObject): Promise<boolean> {
  return (await resource.cache.get(key))?.revision !== current.revision
}

/** The last finalizer of an object that is to be deleted is gone. */
function isReadyToVanish(resource: Resource, { metadata, ...rest }: KubernetesObject): boolean {
  const object = { metadata, ...rest } as KubernetesObject
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers?.length ?? 0) > 0) return false
  if ((metadata.deletionGracePeriodSeconds ?? 0) !== 0) return false
  return !(resource.kind.strategy.hasOwnFinalizers?.(object) ?? false)
}

/** Upstream's store refuses it after everything else has passed (a rehearsal never gets there); text that is no number counts as none. */
function checkNoVersion({ metadata }: KubernetesObject): void {
  if (!/^0*[1-9]\d*$/.test(metadata.resourceVersion ?? '')) return
  throw new StatusError({
    code: 500,
    reason: '',
    message: 'resourceVersion should not be set on objects to be created',
  })
}

function checkUid(resource: Resource, key: string, object: KubernetesObject, old: KubernetesObject): void {
  const { uid } = object.metadata
  if (!uid || uid === old.metadata.uid) return
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`
  throw conflict(resource.groupResource, old.metadata.name, why)
}

/** '' for none: a client may also send 0. Throws for what is no version at all. */
function readVersion(text: string | undefined): string {
  if (!text || text === '0') return ''
  if (/^\d+$/.test(text)) return text
  const message = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
  throw new StatusError({ code: 500, reason: '', message })
}

/** Nothing takes a deletion back, not even a kind whose status updates clear its mark (pods, as upstream's do). */
function keepDeletion({ metadata }: KubernetesObject, old: KubernetesObject): void {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata
  if (deletionTimestamp !== undefined) metadata.deletionTimestamp = deletionTimestamp
  if (deletionGracePeriodSeconds !== undefined) metadata.deletionGracePeriodSeconds = deletionGracePeriodSeconds
}

/** What the client left out is the server's; what it changed is for validation to refuse, but for the time of creation. */
function keepServerMeta(object: KubernetesObject, old: KubernetesObject): void {
  const { metadata } = object
  metadata.uid ||= old.metadata.uid
  metadata.resourceVersion = old.metadata.resourceVersion
  metadata.creationTimestamp = old.metadata.creationTimestamp
  delete metadata.selfLink
  if (old.metadata.generation === undefined) delete metadata.generation
  else metadata.generation = old.metadata.generation
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    if (old.metadata[field] !== undefined) Object.assign(metadata, { [field]: metadata[field] ?? old.metadata[field] })
}

export function throwErrors(resource: Resource, object: KubernetesObject, errors: readonly FieldError[]): void {
  if (errors.length > 0)
    throw invalidFrom(resource.storedKind, object.metadata.name ?? '', errors, showAsGo(resource.storedSchema, object))
}

function isTakenName(error: unknown): boolean {
  return (error as { reason?: string }).reason === 'AlreadyExists'
}

/** Upstream answers NotFound for updates of absent objects of nearly all kinds. */
export function absent(resource: Resource, name: string): Error {
  return notFound(resource.groupResource, name)
}

export function formatSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A rehearsal stores nothing that could have been expected to act. */
function warnInert({ inert }: KindDefinition, object: KubernetesObject, { dryRun, strategy }: WriteContext): void {
  const warning = inert?.warning(object) ?? null
  if (warning !== null && !dryRun) strategy.warn(warning)
}
