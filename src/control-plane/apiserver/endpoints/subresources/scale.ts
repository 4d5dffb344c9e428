/** The `scale` subresource: the number of replicas of any scalable kind, as an autoscaling/v1 Scale. */
import type { Scale } from '#api/autoscaling/v1.gen.ts'
import { formatAge } from '#api/table-cells.ts'
import { applyServerSide } from '#machinery/field-ownership/apply-server-side.ts'
import {
  parentManagedFields,
  scaleManagedFields,
  type ReplicasPaths,
} from '#machinery/field-ownership/scale-ownership.ts'
import { recordUpdate } from '#machinery/field-ownership/record-update.ts'
import { invalidFrom, invalidValue } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { applyJsonPatch } from '#machinery/patch/json-patch.ts'
import type { JsonObject } from '#machinery/patch/json-value.ts'
import { applyMergePatch } from '#machinery/patch/merge-patch.ts'
import { restoreProblem } from '#machinery/patch/restore-problem.ts'
import { applyStrategicMergePatch } from '#machinery/patch/strategic-merge-patch.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { badRequest, conflict, notFound, StatusError } from '#machinery/status-error.ts'
import { OPTIMISTIC_LOCK_TEXT, decodeStored, type Wanted } from '../../registry/object-writer.ts'
import type { Resource } from '../../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../../request.ts'
import { writeContext, type EndpointContext } from '../context.ts'
import { readPatch, type Patch } from '../patch-body.ts'
import { invalidPatch, shownPatch } from '../patch-error.ts'
import { readWriteParameters, type WriteParameters } from '../parameters.ts'

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale', schema: 'io.k8s.api.autoscaling.v1.Scale' }
const SCALE_VERSION = 'autoscaling/v1'

/** What a Scale looks like in a table. */
export const SCALE_SHAPE = {
  group: SCALE.group,
  kind: SCALE.kind,
  table: {
    columns: [
      { name: 'Name', type: 'string', format: '', priority: 0, description: '' },
      { name: 'Desired', type: 'integer', format: '', priority: 0, description: '' },
      { name: 'Available', type: 'integer', format: '', priority: 0, description: '' },
      { name: 'Age', type: 'string', format: '', priority: 0, description: '' },
    ],
    row: (object: KubernetesObject, nowMs: number): unknown[] => {
      const { metadata, spec, status } = object as Scale
      return [metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, formatAge(metadata.creationTimestamp, nowMs)]
    },
  },
} as const

/** All scalable built-in kinds keep their replicas there. */
const pathsOf = (resource: Resource): ReplicasPaths => ({ [resource.apiVersion]: 'spec.replicas' })

export async function handleScale(
  context: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  if (request.info.verb === 'get') {
    const stored = await resource.cache.get(
      resource.keyOf(request.info.namespace, request.info.name),
      request.query.get('resourceVersion') ?? '',
    )
    if (stored === null) throw notFound(resource.groupResource, request.info.name)
    return answer(toScale(resource, decodeStored(resource, stored)))
  }
  const patch = request.info.verb === 'patch' ? readPatch(request) : null
  const parameters = readWriteParameters(
    request,
    patch === null ? 'UpdateOptions' : 'PatchOptions',
    patch?.type === 'apply',
  )
  const sent = patch === null ? (context.decodeBody(request, SCALE, parameters.fieldValidation) as Scale) : null
  if (sent !== null && !sent.metadata.name)
    throw badRequest(
      `the name of the object (${request.info.name} based on URL) was undeterminable: name must be provided`,
    )
  if (sent !== null && sent.metadata.name !== request.info.name)
    throw badRequest(
      `the name of the object (${sent.metadata.name}) does not match the name on the URL (${request.info.name})`,
    )
  const written = await context.writer.update(
    resource,
    (current) => {
      if (current === null) throw notFound(resource.groupResource, request.info.name)
      const before = toScale(resource, current, true)
      const scale = sent ?? applyPatch(context, before, patch!, parameters)
      return applyScale(context, resource, {
        current,
        before,
        scale,
        parameters,
        ownersAreKnown: patch?.type === 'apply',
      })
    },
    writeContext(context, request, parameters),
  )
  return answer(toScale(resource, written.object))
}

function answer(scale: Scale): ApiResponse {
  return { code: 200, body: { form: 'object', object: normalize(schemaOf(SCALE.schema), scale) } }
}

/** The Scale that an object shows; its owners are worked out for writes alone, and never shown. */
function toScale(resource: Resource, object: KubernetesObject, withOwners = false): Scale {
  const scale = resource.kind.scale!
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const managedFields = !withOwners ? undefined : scaleManagedFields(object.metadata.managedFields, pathsOf(resource))
  const replicas = scale.replicas(object)
  return {
    kind: 'Scale',
    apiVersion: SCALE_VERSION,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
      ...(managedFields === undefined ? {} : { managedFields }),
    },
    spec: { replicas },
    status: { replicas: scale.statusReplicas(object), selector: scale.selector(object) },
  }
}

function applyPatch(context: EndpointContext, before: Scale, patch: Patch, parameters: WriteParameters): Scale {
  const schema = schemaOf(SCALE.schema)
  const document = normalize(schema, before) as unknown as JsonObject
  const patched = patchDocument(context, document, patch, parameters)
  try {
    const problem = patch.type === 'strategic' ? restoreProblem(schema, patched) : null
    if (problem !== null) throw badRequest(problem)
    return decodeValue<Scale>(schema, patched).object
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400 || patch.type === 'apply') throw error
    throw invalidPatch(shownPatch(patch, patched), error.message)
  }
}

function patchDocument(
  context: EndpointContext,
  document: JsonObject,
  { type, body }: Patch,
  parameters: WriteParameters,
): unknown {
  const schema = schemaOf(SCALE.schema)
  if (type === 'json') return applyJsonPatch(document, body)
  if (type === 'merge') return applyMergePatch(document, body)
  if (type === 'strategic') return applyStrategicMergePatch(document, body, schema)
  const { fieldManager, force } = parameters
  return applyServerSide({
    ...SCALE,
    schema,
    live: document,
    applied: body,
    manager: fieldManager,
    force: force ?? false,
    subresource: 'scale',
    nowMs: context.clock.now(),
  }).object
}

type ScaleWrite = {
  readonly current: KubernetesObject
  readonly before: Scale
  readonly scale: Scale
  readonly parameters: WriteParameters
  readonly ownersAreKnown: boolean
}

function applyScale(
  context: EndpointContext,
  resource: Resource,
  { current, before, scale, parameters, ownersAreKnown }: ScaleWrite,
): Wanted {
  const { metadata } = current
  const sentVersion = scale.metadata.resourceVersion
  if (sentVersion && sentVersion !== metadata.resourceVersion)
    throw conflict(resource.groupResource, metadata.name, OPTIMISTIC_LOCK_TEXT)
  if (scale.metadata.uid && scale.metadata.uid !== metadata.uid)
    throw conflict(
      resource.groupResource,
      metadata.name,
      `Precondition failed: UID in precondition: ${scale.metadata.uid}, UID in object meta: ${metadata.uid}`,
    )
  const replicas = scale.spec?.replicas ?? 0
  if (replicas < 0)
    throw invalidFrom(SCALE, metadata.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  const owners = ownersAreKnown ? scale.metadata.managedFields : ownersOf(context, before, scale, parameters)
  const object = structuredClone(current)
  resource.kind.scale!.setReplicas(object, replicas)
  const managedFields = parentManagedFields(metadata.managedFields, owners, {
    paths: pathsOf(resource),
    apiVersion: resource.apiVersion,
  })
  if (managedFields === undefined) delete object.metadata.managedFields
  else object.metadata.managedFields = managedFields
  return { object, ownersAreKnown: true }
}

function ownersOf(context: EndpointContext, before: Scale, scale: Scale, parameters: WriteParameters) {
  return recordUpdate({
    schema: schemaOf(SCALE.schema),
    apiVersion: SCALE_VERSION,
    kind: SCALE.kind,
    live: before,
    updated: { ...scale, metadata: { ...before.metadata } },
    manager: parameters.fieldManager,
    subresource: 'scale',
    nowMs: context.clock.now(),
  })
}
