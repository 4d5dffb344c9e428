/** What a CustomResourceDefinition must look like. */
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '#api/apiextensions/v1.gen.ts'
import { checkClientConfig } from '#api/admissionregistration/webhook-client.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkPresent, checkRequiredEnum, checkText, IMMUTABLE } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import { withFields } from '#machinery/schema/zero-values.ts'
import { isDns1035Label, isDns1123Subdomain } from '#machinery/validation/names.ts'
import { checkDeprecation, checkParts, type VersionParts } from './version-validation.ts'

const REVIEW_VERSIONS = ['v1', 'v1beta1']
const APPROVAL = 'api-approved.kubernetes.io'

export function validateDefinition(definition: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const { metadata, spec } = definition
  const name = `${spec.names.plural ?? ''}.${spec.group ?? ''}`
  if (old === undefined && metadata.name && metadata.name !== name)
    errors.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  checkSpec(errors, spec)
  if (old !== undefined) checkUnchanged(errors, spec, old)
  errors.push(...validateDefinitionStatus(definition))
  checkStoredVersions(errors, definition)
  checkApproval(errors, definition, old)
  if (spec.preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true) {
    const text =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
    errors.push(invalidValue('spec.preserveUnknownFields', true, text))
  }
  return errors
}

export function validateDefinitionStatus({ status }: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  if (status?.acceptedNames !== undefined) checkNames(errors, 'status.acceptedNames', status.acceptedNames)
  return errors
}

function checkSpec(errors: FieldError[], spec: CustomResourceDefinitionSpec): void {
  checkGroup(errors, spec.group ?? '')
  checkRequiredEnum(errors, 'spec.scope', spec.scope, ['Cluster', 'Namespaced'])
  const { versions = [], names } = spec
  const top = sharedParts(versions)
  if (top.schema?.openAPIV3Schema === undefined)
    for (const [i, { schema }] of versions.entries())
      if (schema?.openAPIV3Schema === undefined) errors.push(required(`spec.versions[${i}].schema.openAPIV3Schema`))
  for (const [i, version] of versions.entries()) checkVersion(errors, `spec.versions[${i}]`, version, top)
  if (new Set(versions.map((version) => version.name)).size < versions.length)
    errors.push(invalidValue('spec.versions', withoutParts(versions, top), 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const text = 'must have exactly one version marked as storage version'
    errors.push(invalidValue('spec.versions', withoutParts(spec.versions, top), text))
  }
  const problems = versions[0]?.name ? isDns1035Label(versions[0].name) : []
  if (problems.length > 0) errors.push(invalidValue('spec.version', versions[0]!.name, problems.join(',')))
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const)
    checkPresent(errors, `spec.names.${name}`, names[name])
  checkNames(errors, 'spec.names', names)
  checkParts(errors, top, {
    path: 'spec',
    schemaField: 'validation',
    hasStatus: versions.some(({ subresources }) => subresources?.status !== undefined),
    schema: top.schema?.openAPIV3Schema,
  })
  if (spec.conversion !== undefined) checkConversion(errors, 'spec.conversion', spec.conversion)
}

function checkGroup(errors: FieldError[], group: string): void {
  const problems = group === '' ? [] : isDns1123Subdomain(group)
  if (group === '') errors.push(required('spec.group'))
  else if (problems.length > 0) errors.push(invalidValue('spec.group', group, problems.join(',')))
  else if (!group.includes('.'))
    errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
}

const PARTS = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const

/** What all versions say alike is no longer theirs: upstream holds it once, at the top. */
function sharedParts([first, ...others]: readonly CustomResourceDefinitionVersion[]): VersionParts {
  if (first === undefined) return {}
  const shared = PARTS.filter(
    (part) => first[part] !== undefined && others.every((version) => isSemanticallyEqual(version[part], first[part])),
  )
  return Object.fromEntries(shared.map((part) => [part, first[part]]))
}

/** The versions as upstream shows them: without what it holds at the top. */
function withoutParts(
  versions: readonly CustomResourceDefinitionVersion[] | undefined,
  top: VersionParts,
): readonly CustomResourceDefinitionVersion[] | undefined {
  if (versions === undefined || versions.length === 0) return versions
  return versions.map((version) => {
    const copy = withFields(version, {})
    for (const part of PARTS) if (top[part] !== undefined) delete copy[part]
    return copy
  })
}

function checkVersion(
  errors: FieldError[],
  path: string,
  version: CustomResourceDefinitionVersion,
  top: VersionParts,
): void {
  const problems = isDns1035Label(version.name ?? '')
  if (problems.length > 0) errors.push(invalidValue(`${path}.name`, version.name ?? '', problems.join(',')))
  checkDeprecation(errors, path, version)
  const own = Object.fromEntries(PARTS.filter((part) => top[part] === undefined).map((part) => [part, version[part]]))
  checkParts(errors, own, {
    path,
    schemaField: 'schema',
    hasStatus: version.subresources?.status !== undefined,
    schema: top.schema === undefined ? version.schema?.openAPIV3Schema : undefined,
  })
}

function checkNames(errors: FieldError[], path: string, names: CustomResourceDefinitionNames): void {
  for (const name of ['plural', 'singular'] as const) {
    const value = names[name] ?? ''
    const problems = value === '' ? [] : isDns1035Label(value)
    if (problems.length > 0) errors.push(invalidValue(`${path}.${name}`, value, problems.join(',')))
  }
  for (const name of ['kind', 'listKind'] as const) {
    const value = names[name] ?? ''
    const problems = value === '' ? [] : isDns1035Label(value.toLowerCase())
    const text = `may have mixed case, but should otherwise match: ${problems.join(',')}`
    if (problems.length > 0) errors.push(invalidValue(`${path}.${name}`, value, text))
  }
  for (const [i, name] of (names.shortNames ?? []).entries()) {
    const problems = isDns1035Label(name)
    if (problems.length > 0) errors.push(invalidValue(`${path}.shortNames[${i}]`, name, problems.join(',')))
  }
  if (names.kind && names.kind === names.listKind)
    errors.push(invalidValue(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  for (const [i, category] of (names.categories ?? []).entries()) {
    const problems = isDns1035Label(category)
    if (problems.length > 0) errors.push(invalidValue(`${path}.categories[${i}]`, category, problems.join(',')))
  }
}

function checkConversion(errors: FieldError[], path: string, conversion: CustomResourceConversion): void {
  const { strategy = '', webhook } = conversion
  checkRequiredEnum(errors, `${path}.strategy`, strategy, ['None', 'Webhook'])
  const versions = webhook?.conversionReviewVersions ?? []
  const [clientPath, versionsPath] = [`${path}.webhookClientConfig`, `${path}.conversionReviewVersions`]
  if (strategy !== 'Webhook') {
    const text = 'should not be set when strategy is not set to Webhook'
    if (webhook?.clientConfig !== undefined) errors.push(forbiddenField(clientPath, text))
    if (versions.length > 0) errors.push(forbiddenField(versionsPath, text))
    return
  }
  if (webhook?.clientConfig === undefined) errors.push(required(clientPath, 'required when strategy is set to Webhook'))
  else checkClientConfig(errors, clientPath, webhook.clientConfig)
  checkReviewVersions(errors, versionsPath, versions)
}

function checkReviewVersions(errors: FieldError[], path: string, versions: readonly string[]): void {
  if (versions.length === 0) errors.push(required(path))
  for (const [i, version] of versions.entries())
    if (versions.indexOf(version) < i) errors.push(invalidValue(`${path}[${i}]`, version, 'duplicate version'))
    else checkText(errors, `${path}[${i}]`, version, isDns1035Label)
  if (versions.length > 0 && !versions.some((version) => REVIEW_VERSIONS.includes(version)))
    errors.push(invalidValue(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
}

function checkUnchanged(
  errors: FieldError[],
  spec: CustomResourceDefinitionSpec,
  { spec: old, status }: CustomResourceDefinition,
): void {
  const isEstablished = status?.conditions?.some(({ type, status: text }) => type === 'Established' && text === 'True')
  const refuse = (path: string, value: unknown): void => void errors.push(invalidValue(path, value, IMMUTABLE))
  if (isEstablished === true) {
    if (spec.scope !== old.scope) refuse('spec.scope', spec.scope)
    if (spec.names.kind !== old.names.kind) refuse('spec.names.kind', spec.names.kind)
  }
  if (spec.group !== old.group) refuse('spec.group', spec.group)
  if (spec.names.plural !== old.names.plural) refuse('spec.names.plural', spec.names.plural)
}

function checkStoredVersions(errors: FieldError[], { spec, status }: CustomResourceDefinition): void {
  const path = 'status.storedVersions'
  const stored = status?.storedVersions ?? []
  if (stored.length === 0) {
    errors.push(invalidValue(path, null, 'must have at least one stored version'))
    return
  }
  const names = (spec.versions ?? []).map(({ name }) => name)
  for (const { name, storage } of spec.versions ?? [])
    if (storage && !stored.includes(name))
      errors.push(invalidValue(path, stored, `must have the storage version ${name}`))
  for (const [i, name] of stored.entries()) {
    const text = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    if (!names.includes(name)) errors.push(invalidValue(`${path}[${i}]`, name, text))
  }
}

/** Groups of Kubernetes itself are open to approved definitions only. */
function checkApproval(
  errors: FieldError[],
  { metadata, spec }: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): void {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group ?? '')) return
  const approval = metadata.annotations?.[APPROVAL] ?? ''
  if (old !== undefined && approvalState(old.metadata.annotations?.[APPROVAL] ?? '') === approvalState(approval)) return
  const path = `metadata.annotations[${APPROVAL}]`
  const link = 'see https://github.com/kubernetes/enhancements/pull/1111'
  const text = `protected groups must have approval annotation "${APPROVAL}"`
  if (approvalState(approval) === 'missing') errors.push(required(path, `${text}, ${link}`))
  if (approvalState(approval) === 'invalid') {
    const forms = 'with either a URL or a reason starting with "unapproved"'
    errors.push(invalidValue(path, approval, `${text} ${forms}, ${link}`))
  }
}

function approvalState(approval: string): 'missing' | 'bypassed' | 'approved' | 'invalid' {
  if (approval === '') return 'missing'
  if (approval.startsWith('unapproved')) return 'bypassed'
  return URL.canParse(approval) && new URL(approval).host !== '' ? 'approved' : 'invalid'
}
