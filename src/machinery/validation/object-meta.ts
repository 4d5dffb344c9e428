/** The rules of `metadata` that hold for every kind, on create and on update. */
import { isDeepStrictEqual } from 'node:util'
import {
  child,
  forbiddenField,
  index,
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../field-error.ts'
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../meta/v1.gen.ts'
import { isPrintable } from '../quote.ts'
import { validateLabels } from './labels.ts'
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isPathSegmentName, isQualifiedName } from './names.ts'
import { byteLength } from './texts.ts'

const ANNOTATIONS_BYTES_MAX = 256 * 1024
const FIELD_MANAGER_BYTES_MAX = 128
const SUBRESOURCE_BYTES_MAX = 256
const IMMUTABLE = 'field is immutable'

export type NameRule =
  | 'subdomain'
  | 'label'
  | 'path-segment'
  | 'rfc1035-label'
  | ((name: string, isPrefix: boolean) => string[])

const NAME_RULES: Record<
  Exclude<NameRule, (name: string, isPrefix: boolean) => string[]>,
  (name: string) => string[]
> = {
  subdomain: isDns1123Subdomain,
  label: isDns1123Label,
  'path-segment': isPathSegmentName,
  'rfc1035-label': isDns1035Label,
}

export type ObjectMetaOptions = {
  readonly namespaced: boolean
  readonly nameRule?: NameRule
  /** Path of the metadata, `metadata` unless it is that of a template. */
  readonly field?: string
}

/** What is wrong with a name; a prefix (generateName) may end in a dash, which a random suffix will follow. */
export function nameProblems(name: string, rule: NameRule, isPrefix: boolean): string[] {
  if (typeof rule === 'function') return rule(name, isPrefix)
  if (isPrefix && rule !== 'path-segment' && name.length > 1 && name.endsWith('-'))
    return NAME_RULES[rule](`${name.slice(0, -2)}a`)
  return NAME_RULES[rule](name)
}

export function validateObjectMeta(meta: Partial<ObjectMeta>, options: ObjectMetaOptions): FieldError[] {
  const field = options.field ?? 'metadata'
  const rule = options.nameRule ?? 'subdomain'
  const errors: FieldError[] = []
  if (meta.generateName)
    for (const problem of nameProblems(meta.generateName, rule, true))
      errors.push(invalidValue(child(field, 'generateName'), meta.generateName, problem))
  if (!meta.name) errors.push(required(child(field, 'name'), 'name or generateName is required'))
  else
    for (const problem of nameProblems(meta.name, rule, false))
      errors.push(invalidValue(child(field, 'name'), meta.name, problem))
  return [
    ...errors,
    ...validateNamespace(meta, options.namespaced, field),
    ...validateCommon(meta, field),
    ...validateFinalizers(meta, field),
    ...validateManagedFields(meta.managedFields ?? [], child(field, 'managedFields')),
  ]
}

function validateNamespace(meta: Partial<ObjectMeta>, namespaced: boolean, field: string): FieldError[] {
  const path = child(field, 'namespace')
  if (!namespaced) return meta.namespace ? [forbiddenField(path, 'not allowed on this type')] : []
  if (!meta.namespace) return [required(path)]
  return isDns1123Label(meta.namespace).map((problem) => invalidValue(path, meta.namespace, problem))
}

function validateCommon(meta: Partial<ObjectMeta>, field: string): FieldError[] {
  return [
    ...validateGeneration(meta, field),
    ...validateLabels(meta.labels, child(field, 'labels')),
    ...validateAnnotations(meta.annotations, child(field, 'annotations')),
    ...validateOwnerReferences(meta.ownerReferences ?? [], child(field, 'ownerReferences')),
  ]
}

function validateGeneration(meta: Partial<ObjectMeta>, field: string): FieldError[] {
  if ((meta.generation ?? 0) >= 0) return []
  return [invalidValue(child(field, 'generation'), meta.generation, 'must be greater than or equal to 0')]
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldError[] {
  const errors: FieldError[] = []
  for (const name of Object.keys(annotations ?? {}))
    for (const problem of isQualifiedName(name.toLowerCase())) errors.push(invalidValue(field, name, problem))
  return [...errors, ...validateAnnotationsSize(annotations ?? {}, field)]
}

export function validateAnnotationsSize(annotations: Readonly<Record<string, string>>, field: string): FieldError[] {
  let bytes = 0
  for (const [name, value] of Object.entries(annotations)) bytes += byteLength(name) + byteLength(value)
  return bytes > ANNOTATIONS_BYTES_MAX ? [tooLong(field, ANNOTATIONS_BYTES_MAX)] : []
}

export function validateOwnerReferences(references: readonly OwnerReference[], field: string): FieldError[] {
  const errors: FieldError[] = []
  let controller = ''
  for (const [position, reference] of references.entries()) {
    errors.push(...validateOwnerReference(reference, index(field, position)))
    if (reference.controller !== true) continue
    const name = `${reference.kind}/${reference.name}`
    if (controller === '') controller = name
    else
      errors.push(
        invalidValue(
          field,
          references.map(inGoOrder),
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
        ),
      )
  }
  return errors
}

/** The fields as refusals show them, whatever the order of the body. */
function inGoOrder({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference): object {
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion }
}

function validateOwnerReference(reference: OwnerReference, field: string): FieldError[] {
  const errors: FieldError[] = []
  const apiVersion = reference.apiVersion ?? ''
  const parts = apiVersion.split('/')
  if (apiVersion === '') errors.push(required(child(field, 'apiVersion'), 'must not be empty'))
  else if (parts.length > 2 || parts.at(-1) === '')
    errors.push(invalidValue(child(field, 'apiVersion'), apiVersion, 'must be <group>/<version> or <version>'))
  for (const name of ['kind', 'name', 'uid'] as const)
    if (!reference[name]) errors.push(required(child(field, name), 'must not be empty'))
  if (apiVersion === 'v1' && reference.kind === 'Event')
    errors.push(invalidValue(field, reference, '/v1, Kind=Event is disallowed from being an owner'))
  return errors
}

export function validateFinalizerName(name: string, field: string): FieldError[] {
  return isQualifiedName(name).map((problem) => invalidValue(field, name, problem))
}

function validateFinalizers(meta: Partial<ObjectMeta>, field: string): FieldError[] {
  const path = child(field, 'finalizers')
  const finalizers = meta.finalizers ?? []
  const errors = finalizers.flatMap((name) => validateFinalizerName(name, path))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.push(invalidValue(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  return errors
}

export function validateManagedFields(entries: readonly ManagedFieldsEntry[], field: string): FieldError[] {
  return entries.flatMap((entry, position) => {
    const path = index(field, position)
    const errors: FieldError[] = []
    if (!entry.operation) errors.push(required(child(path, 'operation'), 'must not be empty'))
    else if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.push(notSupported(child(path, 'operation'), entry.operation, ['Apply', 'Update']))
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1')
      errors.push(invalidValue(child(path, 'fieldsType'), entry.fieldsType, 'must be `FieldsV1`'))
    errors.push(...validateFieldManager(entry.manager ?? '', child(path, 'manager')))
    if (byteLength(entry.subresource ?? '') > SUBRESOURCE_BYTES_MAX)
      errors.push(tooLong(child(path, 'subresource'), SUBRESOURCE_BYTES_MAX))
    return errors
  })
}

/** Names of field managers: short, and printable. */
export function validateFieldManager(manager: string, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (byteLength(manager) > FIELD_MANAGER_BYTES_MAX) errors.push(tooLong(field, FIELD_MANAGER_BYTES_MAX))
  let position = 0
  for (const character of manager) {
    if (!isPrintable(character))
      errors.push(
        invalidValue(field, manager, `invalid character ${formatCodePoint(character)} (at position ${position})`),
      )
    position += byteLength(character)
  }
  return errors
}

/** Go's `%#U`: the character itself is shown only where it can be printed. */
const formatCodePoint = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`

export function validateObjectMetaUpdate(
  meta: Partial<ObjectMeta>,
  old: Partial<ObjectMeta>,
  field = 'metadata',
): FieldError[] {
  const errors: FieldError[] = []
  if (old.deletionTimestamp !== undefined) errors.push(...validateNoNewFinalizers(meta, old, field))
  if (!meta.resourceVersion)
    errors.push(
      invalidValue(child(field, 'resourceVersion'), meta.resourceVersion ?? '', 'must be specified for an update'),
    )
  errors.push(...validateGeneration(meta, field))
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    errors.push(invalidValue(child(field, 'generation'), meta.generation ?? 0, 'must not be decremented'))
  for (const name of ['name', 'namespace', 'uid'] as const)
    if ((meta[name] ?? '') !== (old[name] ?? ''))
      errors.push(invalidValue(child(field, name), meta[name] ?? '', IMMUTABLE))
  for (const name of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    errors.push(...validateImmutableField(meta[name], old[name], child(field, name)))
  return [
    ...errors,
    ...validateLabels(meta.labels, child(field, 'labels')),
    ...validateAnnotations(meta.annotations, child(field, 'annotations')),
    ...validateOwnerReferences(meta.ownerReferences ?? [], child(field, 'ownerReferences')),
    ...validateManagedFields(meta.managedFields ?? [], child(field, 'managedFields')),
  ]
}

/** A field that no update may change. Absent and empty count as equal only where both are absent. */
export function validateImmutableField(value: unknown, old: unknown, field: string): FieldError[] {
  return isDeepStrictEqual(value, old) ? [] : [invalidValue(field, value, IMMUTABLE)]
}

function validateNoNewFinalizers(meta: Partial<ObjectMeta>, old: Partial<ObjectMeta>, field: string): FieldError[] {
  const extra = (meta.finalizers ?? []).filter((name) => !(old.finalizers ?? []).includes(name))
  if (extra.length === 0) return []
  const list = [...new Set(extra)].toSorted().map((name) => JSON.stringify(name))
  const text = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list.join(', ')}}`
  return [forbiddenField(child(field, 'finalizers'), text)]
}
