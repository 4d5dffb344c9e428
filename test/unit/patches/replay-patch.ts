/** Applies one recorded patch to the recorded object as the API server would, without validation and admission. */
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { kindOf } from '#api/kinds.ts'
import { resetFieldsOf } from '#api/reset-fields.ts'
import { applyServerSide } from '#machinery/field-ownership/apply-server-side.ts'
import {
  recordUpdate,
  resetsManagedFields,
  type OwnedObject,
  type UpdateRecord,
} from '#machinery/field-ownership/record-update.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { applyJsonPatch } from '#machinery/patch/json-patch.ts'
import { applyMergePatch } from '#machinery/patch/merge-patch.ts'
import { applyStrategicMergePatch } from '#machinery/patch/strategic-merge-patch.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { StatusError } from '#machinery/status-error.ts'
import { parseYaml } from '#machinery/yaml.ts'
import { admit } from '../corpus/admission.ts'
import type { Step, Target } from '../corpus/scenarios.ts'

export type Json = Record<string, unknown>
export type PatchOutcome = { readonly code: number; readonly message: string; readonly object: Json }
export type RecordedPatch = { readonly step: Step; readonly target: Target; readonly live: Json | null }

const NOW_MS = Date.parse('2026-01-02T03:04:05Z')

/** Null for what is no patch of a kind that is known here. */
export function replayPatch(patch: RecordedPatch): PatchOutcome | null {
  const kind = kindOf(patch.target.group, patch.target.version, patch.target.resource)
  const body = bodyOf(patch.step)
  if (kind === undefined || body === null) return null
  const type = patch.step.h?.['Content-Type'] ?? ''
  if (patch.live === null && type !== 'application/apply-patch+yaml') return null
  try {
    const object =
      type === 'application/apply-patch+yaml' ? apply(patch, kind, body) : change(patch, kind, { body, type })
    return { code: 200, message: '', object: finish(kind, patch, object) }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { code: error.code, message: error.message, object: {} }
  }
}

/** Null: the text itself is broken, which the server finds before all else. */
function bodyOf(step: Step): { value: unknown } | null {
  if (step.b !== undefined) return { value: step.b }
  const isApply = step.h?.['Content-Type'] === 'application/apply-patch+yaml'
  const text = (step as { raw?: string }).raw ?? ''
  try {
    return { value: isApply ? parseYaml(text) : JSON.parse(text) }
  } catch {
    return null
  }
}

function managerOf({ step }: RecordedPatch): string {
  const query = new URLSearchParams(step.p!.split('?')[1])
  return query.get('fieldManager') ?? (step.h?.['User-Agent'] ?? 'oracle/1').split('/')[0]!
}

type Ownership = Pick<UpdateRecord, 'manager' | 'subresource' | 'nowMs' | 'resetFields'>

function ownership(patch: RecordedPatch, kind: KindDefinition): Ownership {
  const resetFields = resetFieldsOf(kind, patch.target.subresource)
  const common = { manager: managerOf(patch), subresource: patch.target.subresource, nowMs: NOW_MS }
  return resetFields === undefined ? common : { ...common, resetFields }
}

function apply(patch: RecordedPatch, kind: KindDefinition, { value }: { value: unknown }): unknown {
  const { object } = applyServerSide({
    ...kind,
    ...ownership(patch, kind),
    schema: schemaOf(kind.schema),
    live: patch.live,
    applied: value,
    force: patch.step.p!.includes('force=true'),
  })
  return object
}

function change(
  patch: RecordedPatch,
  kind: KindDefinition,
  { body, type }: { body: { value: unknown }; type: string },
): unknown {
  const schema = schemaOf(kind.schema)
  const live = patch.live!
  const patched =
    type === 'application/json-patch+json'
      ? applyJsonPatch(live, body.value)
      : type === 'application/merge-patch+json'
        ? applyMergePatch(live, body.value)
        : applyStrategicMergePatch(live, body.value, schema)
  const updated = decode(kind, patched)
  const managedFields = recordUpdate({
    ...ownership(patch, kind),
    schema,
    apiVersion: formatApiVersion(kind),
    kind: kind.kind,
    live: live as OwnedObject,
    updated,
    resets: resetsManagedFields(patched),
  })
  const { managedFields: _, ...metadata } = updated.metadata
  return { ...updated, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } }
}

function decode(kind: KindDefinition, value: unknown): KubernetesObject {
  const { object } = decodeValue<KubernetesObject>(schemaOf(kind.schema), value)
  kind.strategy.setDefaults?.(object, NOW_MS)
  return object
}

function finish(kind: KindDefinition, patch: RecordedPatch, value: unknown): Json {
  const object = decode(kind, value)
  const context = {
    clock: new VirtualClock(NOW_MS),
    random: new SeededRandom(1),
    features: DEFAULT_FEATURE_GATES,
    subresource: patch.target.subresource,
    warn: () => undefined,
  }
  if (kind.namespaced) object.metadata.namespace ??= patch.target.namespace
  if (patch.live === null) admit(patch.target.id, object, null)
  if (patch.live === null) kind.strategy.prepareForCreate?.(object, context)
  else kind.strategy.prepareForUpdate?.(object, decode(kind, patch.live), context)
  const body = normalize(schemaOf(kind.schema), object) as unknown as Json
  return withoutServersFields(body)
}

export function withoutServersFields(body: Json): Json {
  const metadata = { ...(body['metadata'] as Json) }
  for (const field of ['resourceVersion', 'creationTimestamp', 'uid', 'generation', 'selfLink']) delete metadata[field]
  const entries = metadata['managedFields'] as Json[] | undefined
  if (entries !== undefined)
    metadata['managedFields'] = entries
      .map((entry) => ({ ...entry, ...('time' in entry ? { time: 'set' } : {}) }))
      .toSorted((left, right) => (ownerOf(left) < ownerOf(right) ? -1 : 1))
  return { ...body, metadata }
}

/** The recordings sort owners by themselves. */
function ownerOf({ manager, operation, apiVersion, subresource }: Json): string {
  return [manager, operation, apiVersion, subresource].join('\n')
}
