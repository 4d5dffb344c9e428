/** Checks environment variables of containers and where their values come from. */
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkDnsSubdomain, checkPresent, checkText } from '#api/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { isConfigMapKey, isDns1123Subdomain, isRelaxedEnvVarName } from '#machinery/validation/names.ts'
import { validateFieldSelector, validateResourceFieldSelector } from './downward-api.ts'
import { checkNoBacksteps } from './paths.ts'

const ENV_FIELDS = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])

export function validateEnv(errors: FieldError[], variables: readonly EnvVar[], path: string): void {
  for (const [i, { name, value = '', valueFrom }] of variables.entries()) {
    const place = `${path}[${i}]`
    if (checkPresent(errors, `${place}.name`, name)) checkText(errors, `${place}.name`, name, isRelaxedEnvVarName)
    if (valueFrom !== undefined) validateValueFrom(errors, valueFrom, { path: `${place}.valueFrom`, value })
  }
}

function validateValueFrom(
  errors: FieldError[],
  source: EnvVarSource,
  { path, value }: { readonly path: string; readonly value: string },
): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length
  if (fieldRef) validateFieldSelector(errors, fieldRef, { path: `${path}.fieldRef`, allowed: ENV_FIELDS })
  if (resourceFieldRef)
    validateResourceFieldSelector(errors, resourceFieldRef, { path: `${path}.resourceFieldRef`, isVolume: false })
  if (configMapKeyRef) validateKeySelector(errors, configMapKeyRef, `${path}.configMapKeyRef`)
  if (secretKeyRef) validateKeySelector(errors, secretKeyRef, `${path}.secretKeyRef`)
  if (fileKeyRef) validateFileKeySelector(errors, fileKeyRef, `${path}.fileKeyRef`)
  if (count === 0) errors.push(invalidValue(path, '', NO_SOURCE))
  else if (value !== '') errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  else if (count > 1) errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
}

const NO_SOURCE =
  'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'

function validateKeySelector(
  errors: FieldError[],
  { name = '', key }: { readonly name?: string; readonly key?: string },
  path: string,
): void {
  checkDnsSubdomain(errors, `${path}.name`, name)
  if (checkPresent(errors, `${path}.key`, key)) checkText(errors, `${path}.key`, key, isConfigMapKey)
}

function validateFileKeySelector(errors: FieldError[], selector: FileKeySelector, path: string): void {
  const { key, volumeName, path: file } = selector
  if (checkPresent(errors, `${path}.key`, key)) checkText(errors, `${path}.key`, key, isRelaxedEnvVarName)
  if (checkPresent(errors, `${path}.volumeName`, volumeName)) checkDnsLabel(errors, `${path}.volumeName`, volumeName)
  if (checkPresent(errors, `${path}.path`, file)) checkNoBacksteps(errors, `${path}.path`, file)
}

export function validateEnvFrom(errors: FieldError[], sources: readonly EnvFromSource[], path: string): void {
  for (const [i, { prefix = '', configMapRef, secretRef }] of sources.entries()) {
    const place = `${path}[${i}]`
    if (prefix !== '') checkText(errors, `${place}.prefix`, prefix, isRelaxedEnvVarName)
    if (configMapRef) validateSourceName(errors, configMapRef.name, `${place}.configMapRef.name`)
    if (secretRef) validateSourceName(errors, secretRef.name, `${place}.secretRef.name`)
    // Upstream names the list, not the item.
    if (!configMapRef && !secretRef)
      errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    else if (configMapRef && secretRef)
      errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
}

/** A name that may be a prefix: a trailing dash is masked, as for generateName. */
function validateSourceName(errors: FieldError[], name: string | undefined, path: string): void {
  if (!checkPresent(errors, path, name)) return
  const masked = name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
  for (const message of isDns1123Subdomain(masked)) errors.push(invalidValue(path, name, message))
}
