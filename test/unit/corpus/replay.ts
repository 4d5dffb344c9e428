/** Runs one recorded write through a kind's own rules, without a server, and gives what an API server would answer. */
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { KindDefinition, StrategyContext } from '#api/kind.ts'
import { formatApiVersion } from '#api/kind.ts'
import { type FieldError, invalidFrom, invalidValue } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { StatusError } from '#machinery/status-error.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '#machinery/validation/object-meta.ts'
import { admit } from './admission.ts'
import type { Target } from './scenarios.ts'

/** What came out: an object, or the error's status; and warnings. */
export type Outcome = {
  readonly code: number
  readonly body: Record<string, unknown>
  readonly warnings: readonly string[]
}

export type Write = {
  readonly kind: KindDefinition
  readonly target: Target
  readonly body: Record<string, unknown>
  /** The object as it is stored; null on create. */
  readonly old: Record<string, unknown> | null
  /** What the server made up for a new object: some kinds write it into other fields. */
  readonly uid: string
}

const NOW_MS = Date.parse('2026-01-02T03:04:05Z')

export function replayWrite(write: Write): Outcome {
  const warnings = new Set<string>()
  if (write.kind.deprecation !== undefined) warnings.add(write.kind.deprecation)
  try {
    const object = write.old === null ? create(write, warnings) : update(write, write.old, warnings)
    const body = normalize(schemaOf(write.kind.schema), object) as unknown as Record<string, unknown>
    return { code: write.old === null ? 201 : 200, body, warnings: [...warnings] }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { code: error.code, body: error.toStatus() as unknown as Record<string, unknown>, warnings: [...warnings] }
  }
}

function decode({ kind }: Write, value: unknown, warnings: Set<string>): KubernetesObject {
  try {
    const { object, problems } = decodeValue<KubernetesObject>(schemaOf(kind.schema), value, {
      fieldValidation: 'Warn',
    })
    for (const problem of problems) warnings.add(problem)
    return object
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const message = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${error.message}`
    throw new StatusError({ code: 400, reason: 'BadRequest', message })
  }
}

/** Who the recordings were made by. */
const RECORDER = {
  name: 'oracle-admin',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  extra: {
    'authentication.kubernetes.io/credential-id': [
      'X509SHA256=a6c7290bf0ac743c4151bb5fb6010124ac90205b9942ee6856e93bee5c7b5898',
    ],
  },
}

function contextOf({ target }: Write, warnings: Set<string>): StrategyContext {
  return {
    clock: new VirtualClock(NOW_MS),
    random: new SeededRandom(1),
    features: DEFAULT_FEATURE_GATES,
    subresource: target.subresource,
    warn: (text) => void warnings.add(text),
    user: RECORDER,
  }
}

function create(write: Write, warnings: Set<string>): KubernetesObject {
  const { kind, target } = write
  const object = decode(write, write.body, warnings)
  kind.strategy.setDefaults?.(object, NOW_MS)
  const { metadata } = object
  setNamespace(write, object)
  admit(target.id, object, null)
  const context = contextOf(write, warnings)
  // What the registry does for every kind before the strategy.
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.managedFields
  Object.assign(metadata, { uid: write.uid, creationTimestamp: '2026-01-02T03:04:05Z' })
  if (!metadata.name && metadata.generateName) metadata.name = `${metadata.generateName}abcde`
  kind.strategy.prepareForCreate?.(object, context)
  const nameRule = kind.nameRule ?? 'subdomain'
  const errors = validateObjectMeta(metadata, { namespaced: kind.namespaced, nameRule })
  errors.push(...(kind.strategy.validate?.(object, context) ?? []))
  throwErrors(write, object, errors)
  for (const text of kind.strategy.warnings?.(object, null) ?? []) warnings.add(text)
  return object
}

function update(write: Write, stored: Record<string, unknown>, warnings: Set<string>): KubernetesObject {
  const { kind, target } = write
  const old = decode(write, structuredClone(stored), new Set())
  kind.strategy.setDefaults?.(old, NOW_MS)
  const object = decode(write, write.body, warnings)
  kind.strategy.setDefaults?.(object, NOW_MS)
  const { metadata } = object
  setNamespace(write, object)
  delete metadata.managedFields
  admit(target.id, object, old)
  const context = contextOf(write, warnings)
  // What the registry does for every kind before the strategy.
  if (kind.strategy.requireResourceVersion === true && !metadata.resourceVersion) {
    const error = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')
    throw invalidFrom({ group: kind.group, kind: kind.resource }, metadata.name ?? '', [error])
  }
  metadata.uid ||= old.metadata.uid
  metadata.resourceVersion ||= old.metadata.resourceVersion
  metadata.creationTimestamp = old.metadata.creationTimestamp
  for (const field of ['generation', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (old.metadata[field] === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: old.metadata[field] })
  }
  kind.strategy.prepareForUpdate?.(object, old, context)
  const errors = validateObjectMetaUpdate(metadata, old.metadata)
  errors.push(...(kind.strategy.validateUpdate?.(object, old, context) ?? []))
  throwErrors(write, object, errors)
  for (const text of kind.strategy.warnings?.(object, old) ?? []) warnings.add(text)
  return object
}

/** The path names the namespace; a body may repeat it. */
function setNamespace({ kind, target }: Write, { metadata }: KubernetesObject): void {
  if (!kind.namespaced) {
    delete metadata.namespace
    return
  }
  metadata.namespace ||= target.namespace
  const message = 'the namespace of the provided object does not match the namespace sent on the request'
  if (metadata.namespace !== target.namespace) throw new StatusError({ code: 400, reason: 'BadRequest', message })
}

function throwErrors({ kind }: Write, object: KubernetesObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidFrom({ group: kind.group, kind: kind.kind }, object.metadata.name ?? '', errors)
}

/** True when the body says it is of the kind that the path names: the server refuses others before all rules. */
export function isBodyOf(kind: KindDefinition, body: Record<string, unknown>): boolean {
  return body['apiVersion'] === formatApiVersion(kind) && body['kind'] === kind.kind
}
