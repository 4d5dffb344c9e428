/** Server-side apply: merges a configuration into the live object, removes what its manager no longer applies, finds conflicts. */
import { isDeepStrictEqual } from 'node:util'
import type { ManagedFieldsEntry, StatusCause } from '../meta/v1.gen.ts'
import { isJsonObject, type JsonObject } from '../patch/json-value.ts'
import { jsonKind } from '../patch/merge-patch.ts'
import { patchFailure } from '../patch/patch-failure.ts'
import { normalize } from '../schema/encode.ts'
import type { ObjectSchema } from '../schema/schema.ts'
import { badRequest, StatusError } from '../status-error.ts'
import { allowedByLastApplied, refreshLastApplied } from './client-side-apply.ts'
import type { FieldSet } from './field-set.ts'
import { fieldSetOf } from './field-set-of.ts'
import {
  compareTexts,
  decodeManagedFields,
  encodeManagedFields,
  formatTime,
  ManagedFieldsError,
  managerId,
  type ManagedFields,
  type Manager,
  type Ownership,
} from './managed-fields.ts'
import { mergeValues } from './merge.ts'
import {
  findTransfers,
  reconcile,
  SAME_VERSION_ONLY,
  withoutUnowned,
  type FieldConflict,
  type OwnershipContext,
  type VersionConverter,
} from './ownership-rules.ts'
import { formatPath } from './path-element.ts'
import { pruneAbandoned } from './prune.ts'
import { recordChange, UNKNOWN_MANAGER } from './record-update.ts'
import { findConfigurationProblems, formatProblems } from './validate-configuration.ts'

export type ApplyRequest = {
  readonly schema: ObjectSchema
  readonly group: string
  readonly version: string
  readonly kind: string
  /** The stored object, null when the apply creates it. Not changed. */
  readonly live: unknown
  /** The configuration as it was sent (parsed YAML or JSON), neither pruned nor defaulted. Not changed. */
  readonly applied: unknown
  readonly manager: string
  readonly force: boolean
  readonly subresource: string
  readonly nowMs: number
  readonly resetFields?: FieldSet
  readonly convert?: VersionConverter
}

export type Applied = {
  /** The merged object with its managedFields, to be decoded and defaulted as if a client had sent it. */
  readonly object: JsonObject
  /** False: the configuration says nothing new, apart perhaps from who owns it. */
  readonly changed: boolean
}

/** The manager of `kubectl apply --server-side`, who may take over what client-side apply owned. */
const KUBECTL = 'kubectl'
const BEFORE_FIRST_APPLY = 'before-first-apply'

/** Throws StatusError: 400 for a wrong type or version, 409 for conflicts, 500 for a configuration that fits no schema. */
export function applyServerSide(request: ApplyRequest): Applied {
  const applied = checkConfiguration(request)
  const live = request.live === null ? emptyObject(request) : normalize(request.schema, request.live as JsonObject)
  const managed = startingPoint(request, live)
  const run = new ApplyRun(request, live, applied, managed)
  let result = run.attempt(request.force)
  if (result.conflicts.length > 0) {
    const conflicts = request.manager === KUBECTL ? withoutAllowed(result.conflicts, request, live) : result.conflicts
    if (conflicts.length > 0) throw applyConflict(conflicts)
    result = run.attempt(true)
  }
  const object = withManagedFields(result.object ?? live, result.managed)
  if (request.manager === KUBECTL) refreshLastApplied(object, applied)
  return { object, changed: result.object !== null }
}

function checkConfiguration(request: ApplyRequest): JsonObject {
  const { schema, group, version, kind } = request
  if (request.applied !== null && request.applied !== undefined && !isJsonObject(request.applied))
    throw badRequest(
      `error decoding patch: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(request.applied)} into Go value of type map[string]interface {}`,
    )
  const applied = request.applied ?? {}
  const apiVersion = typeof applied.apiVersion === 'string' ? applied.apiVersion : ''
  const expected = group === '' ? version : `${group}/${version}`
  if (apiVersion !== expected || applied.kind !== kind)
    throw badRequest(`invalid object type: ${formatGroupVersionKind(apiVersion, applied.kind)}`)
  const metadata = isJsonObject(applied.metadata) ? applied.metadata : {}
  if (metadata.managedFields !== undefined && metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil')
  const problems = findConfigurationProblems(schema, applied)
  if (problems.length === 0) return applied
  const name = `${textOf(metadata.namespace)}/${textOf(metadata.name)}; ${formatGroupVersionKind(apiVersion, kind)}`
  throw patchFailure(`failed to create typed patch object (${name}): ${formatProblems(problems)}`)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `apps/v1, Kind=Deployment`, as Go prints it. */
function formatGroupVersionKind(apiVersion: string, kind: unknown): string {
  const groupVersion = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
  return `${groupVersion}, Kind=${textOf(kind)}`
}

function emptyObject(request: ApplyRequest): JsonObject {
  return normalize(request.schema, { apiVersion: apiVersionOf(request), kind: request.kind })
}

function apiVersionOf({ group, version }: ApplyRequest): string {
  return group === '' ? version : `${group}/${version}`
}

/** What a live object without any owner holds belongs to `before-first-apply`. */
function startingPoint(request: ApplyRequest, live: JsonObject): ManagedFields {
  const { managedFields } = live.metadata as { managedFields?: ManagedFieldsEntry[] }
  let managed: ManagedFields
  try {
    managed = decodeManagedFields(managedFields)
  } catch (error) {
    if (error instanceof ManagedFieldsError) throw patchFailure(`failed to decode managed fields: ${error.message}`)
    throw error
  }
  if (managed.size > 0 || request.live === null) return managed
  return recordChange(managed, emptyObject(request), live, {
    ...request,
    apiVersion: apiVersionOf(request),
    manager: BEFORE_FIRST_APPLY,
  })
}

type Attempt = {
  /** Null: the live object stays as it is. */
  readonly object: JsonObject | null
  readonly managed: ManagedFields
  readonly conflicts: readonly FieldConflict[]
}

class ApplyRun {
  readonly #request: ApplyRequest
  readonly #live: JsonObject
  readonly #applied: JsonObject
  readonly #managed: ManagedFields
  readonly #context: OwnershipContext

  constructor(request: ApplyRequest, live: JsonObject, applied: JsonObject, managed: ManagedFields) {
    this.#request = request
    this.#live = live
    this.#applied = applied
    this.#managed = managed
    this.#context = {
      schema: request.schema,
      apiVersion: apiVersionOf(request),
      convert: request.convert ?? SAME_VERSION_ONLY,
      ...(request.resetFields === undefined ? {} : { resetFields: request.resetFields }),
    }
  }

  /** Starts from the same owners each time, so that it may be tried again with force. */
  attempt(force: boolean): Attempt {
    const { schema, apiVersion } = this.#context
    const managed = reconcile(this.#managed, this.#live, this.#context)
    const manager: Manager = {
      name: this.#request.manager === '' ? UNKNOWN_MANAGER : this.#request.manager,
      operation: 'Apply',
      apiVersion,
      subresource: this.#request.subresource,
    }
    const id = managerId(manager)
    const last = managed.get(id)
    managed.set(id, { ...manager, set: this.#appliedSet(), time: last?.time })
    const merged = mergeValues(schema, this.#live, this.#applied)
    const object = pruneAbandoned(merged, { managed, last, context: this.#context }) as JsonObject
    const transfer = { before: this.#live, after: object, writer: id }
    const { conflicts, settle } = findTransfers(managed, transfer, this.#context)
    if (conflicts.length > 0 && !force) return { object: null, managed, conflicts }
    settle()
    const changed = !isDeepStrictEqual(this.#live, object)
    this.#record(managed, id, changed)
    return { object: changed ? object : null, managed, conflicts: [] }
  }

  #appliedSet(): FieldSet {
    const set = fieldSetOf(this.#context.schema, this.#applied)
    const { resetFields } = this.#context
    return resetFields === undefined ? set : set.recursiveDifference(resetFields)
  }

  /** The time tells when the manager last changed something. */
  #record(managed: ManagedFields, id: string, changed: boolean): void {
    const owner = managed.get(id)
    if (owner === undefined) return
    const set = withoutUnowned(owner.set)
    if (set.isEmpty) managed.delete(id)
    else managed.set(id, { ...owner, set, time: changed ? formatTime(this.#request.nowMs) : owner.time })
  }
}

function withManagedFields(object: JsonObject, managed: ManagedFields): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata as { managedFields?: unknown }
  const entries = encodeManagedFields(managed)
  return { ...object, metadata: entries === undefined ? metadata : { ...metadata, managedFields: entries } }
}

function withoutAllowed(
  conflicts: readonly FieldConflict[],
  request: ApplyRequest,
  live: JsonObject,
): readonly FieldConflict[] {
  const allowed = allowedByLastApplied(request.schema, apiVersionOf(request), live)
  return allowed === null ? conflicts : conflicts.filter(({ path }) => !allowed.has(path))
}

/** The 409 of conflicts: one cause for each field and owner. */
function applyConflict(conflicts: readonly FieldConflict[]): StatusError {
  const causes: StatusCause[] = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${formatOwner(owner)}`,
    field: formatPath(path),
  }))
  return new StatusError({ code: 409, reason: 'Conflict', message: conflictMessage(conflicts), details: { causes } })
}

function conflictMessage(conflicts: readonly FieldConflict[]): string {
  const first = conflicts[0]!
  if (conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${formatOwner(first.owner)}: ${formatPath(first.path)}`
  const byOwner = Map.groupBy(conflicts, ({ owner }) => formatOwner(owner))
  const lines = [...byOwner]
    .sort(([left], [right]) => compareTexts(left, right))
    .flatMap(([owner, its]) => [`conflicts with ${owner}:`, ...its.map(({ path }) => `- ${formatPath(path)}`)])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function formatOwner({ name, operation, apiVersion, subresource }: Ownership): string {
  const via = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(name)}${via}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
