/** Checks volumes whose files come from the API: secrets, config maps, the downward API. */
import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  KeyToPath,
  SecretVolumeSource,
} from '#api/core/v1.gen.ts'
import { checkId, checkPresent } from '#api/validation.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { validateFieldSelector, validateResourceFieldSelector } from './downward-api.ts'
import { checkNonReservedPath } from './paths.ts'

const FILE_MODE_MAX = 0o777

const VOLUME_FIELDS = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
])

export function checkFileMode(errors: FieldError[], path: string, mode: number | undefined): void {
  if (mode !== undefined && (mode > FILE_MODE_MAX || mode < 0))
    errors.push(invalidValue(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
}

export function validateSecretVolume(errors: FieldError[], source: SecretVolumeSource, path: string): void {
  checkPresent(errors, `${path}.secretName`, source.secretName)
  validateFiles(errors, source, path)
}

export function validateConfigMapVolume(errors: FieldError[], source: ConfigMapVolumeSource, path: string): void {
  checkPresent(errors, `${path}.name`, source.name)
  validateFiles(errors, source, path)
}

type Files = { readonly defaultMode?: number; readonly defaultUser?: number; readonly items?: readonly KeyToPath[] }

function validateFiles(errors: FieldError[], { defaultMode, defaultUser, items = [] }: Files, path: string): void {
  checkFileMode(errors, `${path}.defaultMode`, defaultMode)
  checkId(errors, `${path}.defaultUser`, defaultUser)
  for (const [i, item] of items.entries()) validateKeyToPath(errors, item, `${path}.items[${i}]`)
}

export function validateKeyToPath(errors: FieldError[], item: KeyToPath, path: string): void {
  checkPresent(errors, `${path}.key`, item.key)
  checkPresent(errors, `${path}.path`, item.path)
  checkNonReservedPath(errors, `${path}.path`, item.path ?? '')
  checkFileMode(errors, `${path}.mode`, item.mode)
  checkId(errors, `${path}.user`, item.user)
}

export function validateDownwardApiVolume(errors: FieldError[], source: DownwardAPIVolumeSource, path: string): void {
  checkFileMode(errors, `${path}.defaultMode`, source.defaultMode)
  checkId(errors, `${path}.defaultUser`, source.defaultUser)
  // Upstream reports all files at the path of the volume.
  for (const file of source.items ?? []) validateDownwardApiFile(errors, file, path)
}

export function validateDownwardApiFile(errors: FieldError[], file: DownwardAPIVolumeFile, path: string): void {
  checkPresent(errors, `${path}.path`, file.path)
  checkNonReservedPath(errors, `${path}.path`, file.path ?? '')
  if (file.fieldRef) {
    validateFieldSelector(errors, file.fieldRef, { path: `${path}.fieldRef`, allowed: VOLUME_FIELDS })
    if (file.resourceFieldRef) {
      const text = 'fieldRef and resourceFieldRef can not be specified simultaneously'
      errors.push(invalidValue(path, 'resource', text))
    }
  } else if (file.resourceFieldRef)
    validateResourceFieldSelector(errors, file.resourceFieldRef, { path: `${path}.resourceFieldRef`, isVolume: true })
  else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  checkFileMode(errors, `${path}.mode`, file.mode)
  checkId(errors, `${path}.user`, file.user)
}
