/** Checks projected volumes: several sources in one directory, whose paths may not collide. */
import type {
  ClusterTrustBundleProjection,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '#api/core/v1.gen.ts'
import { checkId, checkLabelSelector, checkPresent } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupportedInOrder, required } from '#machinery/field-error.ts'
import { validateDomainPrefixedKey } from '#machinery/validation/fields.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { checkFileMode, validateDownwardApiFile, validateKeyToPath } from './file-volumes.ts'
import { checkNonReservedPath } from './paths.ts'
import { isKubernetesSigner, validateSignerName } from '#api/certificates/signer-name.ts'

type ProjectedOptions = { readonly path: string; readonly allowNonLocalTokenPath: boolean }

/** What the checks of all sources share. */
type Sources = ProjectedOptions & { readonly taken: Set<string> }
type SourcePlace = Sources & { readonly place: string }

export function validateProjectedVolume(
  errors: FieldError[],
  { defaultMode, defaultUser, sources }: ProjectedVolumeSource,
  { path, allowNonLocalTokenPath }: ProjectedOptions,
): void {
  checkFileMode(errors, `${path}.defaultMode`, defaultMode)
  checkId(errors, `${path}.defaultUser`, defaultUser)
  const shared: Sources = { path, allowNonLocalTokenPath, taken: new Set() }
  for (const [i, source] of (sources ?? []).entries())
    validateProjection(errors, source, { ...shared, place: `${path}.sources[${i}]` })
}

function validateProjection(errors: FieldError[], source: VolumeProjection, at: SourcePlace): void {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
  if (secret) validateNamedFiles(errors, secret, { ...at, place: `${at.place}.secret` })
  if (configMap) validateNamedFiles(errors, configMap, { ...at, place: `${at.place}.configMap` })
  for (const file of downwardAPI?.items ?? []) {
    validateDownwardApiFile(errors, file, `${at.place}.downwardAPI`)
    if (file.path) takePath(errors, file.path, { ...at, reportAs: file.path })
  }
  if (serviceAccountToken)
    validateToken(errors, serviceAccountToken, { ...at, place: `${at.place}.serviceAccountToken` })
  if (clusterTrustBundle)
    validateTrustBundle(errors, clusterTrustBundle, { ...at, place: `${at.place}.clusterTrustBundle` })
  if (podCertificate) validateCertificate(errors, podCertificate, { ...at, place: `${at.place}.podCertificate` })
  const all = [secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate]
  if (all.filter(Boolean).length > 1)
    errors.push(forbiddenField(at.place, 'may not specify more than 1 volume type per source'))
}

function takePath(errors: FieldError[], file: string, at: Sources & { readonly reportAs: string }): void {
  if (at.taken.has(file)) errors.push(invalidValue(at.path, at.reportAs, 'conflicting duplicate paths'))
  at.taken.add(file)
}

type NamedFiles = NonNullable<VolumeProjection['secret'] | VolumeProjection['configMap']>

function validateNamedFiles(errors: FieldError[], { name, items = [] }: NamedFiles, at: SourcePlace): void {
  checkPresent(errors, `${at.place}.name`, name)
  for (const [i, item] of items.entries()) {
    validateKeyToPath(errors, item, `${at.place}.items[${i}]`)
    if (item.path) takePath(errors, item.path, { ...at, reportAs: name ?? '' })
  }
}

const TOKEN_SECONDS_MIN = 10 * 60
const TOKEN_SECONDS_MAX = 2 ** 32

function validateToken(errors: FieldError[], token: ServiceAccountTokenProjection, at: SourcePlace): void {
  const place = `${at.place}.expirationSeconds`
  const seconds = token.expirationSeconds
  if (seconds === undefined) errors.push(required(place))
  else if (seconds < TOKEN_SECONDS_MIN)
    errors.push(invalidValue(place, seconds, 'may not specify a duration less than 10 minutes'))
  else if (seconds > TOKEN_SECONDS_MAX)
    errors.push(invalidValue(place, seconds, 'may not specify a duration larger than 2^32 seconds'))
  // Upstream reports the path at the volume, not at the source.
  if (checkPresent(errors, `${at.path}.path`, token.path) && !at.allowNonLocalTokenPath)
    checkNonReservedPath(errors, `${at.path}.path`, token.path)
  checkId(errors, `${at.place}.user`, token.user)
}

function validateTrustBundle(errors: FieldError[], bundle: ClusterTrustBundleProjection, at: SourcePlace): void {
  const { name, signerName, labelSelector, path: file = '' } = bundle
  if (name !== undefined && signerName !== undefined)
    errors.push(invalidValue(at.place, bundle, 'only one of name and signerName may be used'))
  else if (name !== undefined) {
    validateBundleName(errors, name, `${at.place}.name`)
    if (labelSelector !== undefined) {
      const text = 'labelSelector must be unset if name is specified'
      errors.push(invalidValue(`${at.place}.labelSelector`, labelSelector, text))
    }
  } else if (signerName !== undefined) {
    const place = `${at.place}.signerName`
    if (signerName === '') errors.push(required(place, 'must be a valid signer name'))
    validateSignerName(errors, signerName, place)
    checkLabelSelector(errors, `${at.place}.labelSelector`, labelSelector, {})
  } else errors.push(required(at.place, 'either name or signerName must be specified'))
  checkPresent(errors, `${at.place}.path`, file)
  checkId(errors, `${at.place}.user`, bundle.user)
  checkNonReservedPath(errors, `${at.place}.path`, file)
  takePath(errors, file, { ...at, reportAs: file })
}

/** `<name>`, or `<signer domain>:<signer path>:<name>` for bundles of a signer. */
function validateBundleName(errors: FieldError[], name: string, path: string): void {
  if (name === '') errors.push(required(path, 'must be a valid object name'))
  for (const message of bundleNameProblems(name))
    errors.push(invalidValue(path, name, `not a valid clustertrustbundlename: ${message}`))
}

function bundleNameProblems(name: string): string[] {
  const end = name.lastIndexOf(':')
  const signer = name.slice(0, Math.max(end, 0)).replaceAll(':', '/')
  const prefix = signer === '' ? '' : `${signer.replaceAll('/', ':')}:`
  if (end !== -1 && signer === '') return ['ClusterTrustBundle without signer name must not have ":" in its name']
  if (!name.startsWith(prefix))
    return [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`]
  return isDns1123Subdomain(name.slice(prefix.length))
}

const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const CERTIFICATE_SECONDS_MIN = 3600
const CERTIFICATE_SECONDS_MAX = 91 * 24 * 3600
/** Signers of Kubernetes itself give certificates for a day at most. */
const KUBERNETES_CERTIFICATE_SECONDS_MAX = 24 * 3600

function validateCertificate(errors: FieldError[], certificate: PodCertificateProjection, at: SourcePlace): void {
  const { place } = at
  const { signerName = '', keyType = '', userAnnotations = {} } = certificate
  validateSignerName(errors, signerName, `${place}.signerName`)
  for (const name in userAnnotations)
    errors.push(...validateDomainPrefixedKey(`${place}.userAnnotations`, name.toLowerCase()))
  checkId(errors, `${place}.user`, certificate.user)
  if (!KEY_TYPES.includes(keyType)) errors.push(notSupportedInOrder(`${place}.keyType`, keyType, KEY_TYPES))
  validateLifetime(errors, certificate, `${place}.maxExpirationSeconds`)
  let count = 0
  for (const field of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const) {
    const file = certificate[field] ?? ''
    if (file === '') continue
    count++
    checkNonReservedPath(errors, `${place}.${field}`, file)
    takePath(errors, file, { ...at, reportAs: file })
  }
  if (count === 0)
    errors.push(required(place, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'))
}

function validateLifetime(errors: FieldError[], certificate: PodCertificateProjection, path: string): void {
  const { maxExpirationSeconds: seconds, signerName = '' } = certificate
  if (seconds === undefined) return
  const max = isKubernetesSigner(signerName) ? KUBERNETES_CERTIFICATE_SECONDS_MAX : CERTIFICATE_SECONDS_MAX
  const prefix = 'if provided, maxExpirationSeconds must be'
  if (seconds < CERTIFICATE_SECONDS_MIN)
    errors.push(invalidValue(path, seconds, `${prefix} >= ${CERTIFICATE_SECONDS_MIN}`))
  if (seconds > max) errors.push(invalidValue(path, seconds, `${prefix} <= ${max}`))
}
