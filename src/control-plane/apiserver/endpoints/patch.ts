/** PATCH of one object or its status: JSON patch, merge patch, strategic merge patch and server-side apply. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { resetFieldsOf } from '#api/reset-fields.ts'
import { applyServerSide } from '#machinery/field-ownership/apply-server-side.ts'
import { resetsManagedFields } from '#machinery/field-ownership/record-update.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { applyJsonPatch, jsonPatchProblems } from '#machinery/patch/json-patch.ts'
import type { JsonObject } from '#machinery/patch/json-value.ts'
import { applyMergePatch } from '#machinery/patch/merge-patch.ts'
import { restoreProblem } from '#machinery/patch/restore-problem.ts'
import { applyStrategicMergePatch } from '#machinery/patch/strategic-merge-patch.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { encodeObjectText } from '#machinery/schema/encode.ts'
import { badRequest, notFound, StatusError } from '#machinery/status-error.ts'
import type { Wanted } from '../registry/object-writer.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { answerOf } from './answer.ts'
import { writeContext, type EndpointContext } from './context.ts'
import { dedupOwners } from './owner-references.ts'
import { readWriteParameters, type WriteParameters } from './parameters.ts'
import { readPatch, type Patch } from './patch-body.ts'
import { invalidPatch, shownPatch } from './patch-error.ts'

export async function patchObject(
  context: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const patch = readPatch(request)
  const parameters = readWriteParameters(request, 'PatchOptions', patch.type === 'apply')
  const run = new PatchRun(context, resource, request, patch, parameters)
  const written = await context.writer.update(
    resource,
    (current) => run.change(current),
    writeContext(context, request, parameters),
  )
  return answerOf(resource, written, written.created ? 201 : 200)
}

class PatchRun {
  readonly #context: EndpointContext
  readonly #resource: Resource
  readonly #request: ApiRequest
  readonly #patch: Patch
  readonly #parameters: WriteParameters

  constructor(
    context: EndpointContext,
    resource: Resource,
    request: ApiRequest,
    patch: Patch,
    parameters: WriteParameters,
  ) {
    this.#context = context
    this.#resource = resource
    this.#request = request
    this.#patch = patch
    this.#parameters = parameters
  }

  /** What the patch makes of the current object. */
  change(current: KubernetesObject | null): Wanted {
    if (this.#patch.type === 'apply') return this.#apply(current)
    if (current === null) throw notFound(this.#resource.groupResource, this.#request.info.name)
    const document = JSON.parse(encodeObjectText(this.#resource.schema, current)) as JsonObject
    const patched = this.#patchDocument(document)
    const object = this.#decode(patched)
    this.#checkName(object.metadata.name)
    return { object, resetsOwners: resetsManagedFields(patched) }
  }

  #patchDocument(document: JsonObject): unknown {
    const { type, body, problems } = this.#patch
    if (type === 'json') {
      const duplicates = problems.map((text) => `json patch ${text}`)
      this.#report(this.#parameters.fieldValidation === 'Ignore' ? [] : [...jsonPatchProblems(body), ...duplicates])
      return applyJsonPatch(document, body)
    }
    return type === 'merge'
      ? applyMergePatch(document, body)
      : applyStrategicMergePatch(document, body, this.#resource.schema)
  }

  #apply(current: KubernetesObject | null): Wanted {
    const { kind, schema } = this.#resource
    const { info } = this.#request
    if (current === null && info.subresource !== '') throw notFound(this.#resource.groupResource, info.name)
    const applied = this.#patch.body as { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown } }
    checkApplied(applied, kind)
    const name = applied.metadata?.name
    // Whoever applies to an object that exists need not name it.
    if (current === null || (typeof name === 'string' && name !== '')) this.#checkName(name)
    const resetFields = resetFieldsOf(
      { group: kind.group, kind: kind.kind, hasStatus: kind.hasStatus },
      info.subresource,
    )
    const { object } = applyServerSide({
      schema,
      group: kind.group,
      version: kind.version,
      kind: kind.kind,
      live: current,
      applied: this.#patch.body,
      manager: this.#parameters.fieldManager,
      force: this.#parameters.force ?? false,
      subresource: info.subresource,
      nowMs: this.#context.clock.now(),
      convert: this.#resource.convert,
      ...(resetFields === undefined ? {} : { resetFields }),
    })
    const decoded = this.#decode(object)
    if (current === null) {
      decoded.metadata.name ||= info.name
      if (kind.namespaced) decoded.metadata.namespace ||= info.namespace
    }
    return { object: decoded, ownersAreKnown: true }
  }

  #checkName(name: unknown): void {
    const { info } = this.#request
    if (!name)
      throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
    if (name !== info.name)
      throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${info.name})`)
  }

  #decode(patched: unknown): KubernetesObject {
    const { kind } = this.#resource
    const { object, problems } = this.#decodePatched(patched)
    this.#report(problems)
    if (typeof object.metadata !== 'object') throw unprocessable()
    kind.strategy.setDefaults?.(object, this.#context.clock.now(), this.#context.dependencies.features)
    dedupOwners(object, (text) => this.#request.warnings.add(text))
    return object
  }

  /** What cannot be decoded is the fault of the patch. */
  #decodePatched(patched: unknown): { object: KubernetesObject; problems: readonly string[] } {
    const { schema, kind, apiVersion } = this.#resource
    const { type } = this.#patch
    const { fieldValidation } = this.#parameters
    if (type === 'apply') {
      const { object } = decodeValue<KubernetesObject>(schema, patched, { fieldValidation: 'Ignore' })
      return { object, problems: this.#patch.problems }
    }
    try {
      const sent = patched as { apiVersion?: unknown; kind?: unknown }
      const isOther = (sent.kind || kind.kind) !== kind.kind || sent.apiVersion !== apiVersion
      if (type !== 'strategic' && isOther && sent.kind && sent.apiVersion) this.#context.checkOtherKind(patched, kind)
      const { object, problems } = this.#decodeOwn(patched)
      // Those of a JSON patch are about its operations, and are reported.
      const all = type === 'json' ? problems : [...this.#patch.problems, ...problems]
      if (fieldValidation === 'Strict' && all.length > 0) throw badRequest(`strict decoding error: ${all.join(', ')}`)
      if (type !== 'strategic' && isOther) throw badRequest(otherKindText(sent))
      // A patch may take the kind away: what is patched is known.
      object.kind = kind.kind
      return { object, problems: all }
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 400) throw error
      throw invalidPatch(shownPatch(this.#patch, patched), error.message)
    }
  }

  /** Upstream reads the result of a strategic merge patch by other rules than JSON: by name, and with words of its own. */
  #decodeOwn(patched: unknown): { object: KubernetesObject; problems: readonly string[] } {
    const { schema } = this.#resource
    const isStrategic = this.#patch.type === 'strategic'
    const problem = isStrategic ? restoreProblem(schema, patched) : null
    if (problem !== null) throw badRequest(problem)
    const { fieldValidation } = this.#parameters
    const { object, problems } = decodeValue<KubernetesObject>(schema, patched, { fieldValidation })
    return { object, problems: isStrategic ? problems.toSorted() : problems }
  }

  /** Warnings, or with `Strict` the refusal that lists them. */
  #report(problems: readonly string[]): void {
    if (problems.length === 0 || this.#parameters.fieldValidation === 'Ignore') return
    if (this.#parameters.fieldValidation === 'Strict') throw badRequest(`strict decoding error: ${problems.join(', ')}`)
    for (const problem of problems) this.#request.warnings.add(problem)
  }
}

/** An applied configuration has to say what it is. */
function checkApplied({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }, wanted: KindDefinition): void {
  const [version, name] = [apiVersion, kind].map((text) => (typeof text === 'string' ? text : ''))
  if (version === formatApiVersion(wanted) && name === wanted.kind) return
  const [first, second] = version!.split('/')
  const text = second === undefined ? `/${first!}` : `${first!}/${second}`
  throw badRequest(`invalid object type: ${text}, Kind=${name!}`)
}

function otherKindText({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }): string {
  return `no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')} in scheme "pkg/runtime/scheme.go:111"`
}

function unprocessable(): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  })
}
