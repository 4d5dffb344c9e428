/** What a PodCertificateRequest must look like, and how it may be answered. */
import type { PodCertificateRequest } from '#api/certificates/v1beta1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsSubdomain, IMMUTABLE } from '#api/validation.ts'
import { type FieldError, invalidValue, notSupportedInOrder, required, tooLong } from '#machinery/field-error.ts'
import { validateConditions, validateDomainPrefixedKey } from '#machinery/validation/fields.ts'
import { validateAnnotationsSize } from '#machinery/validation/object-meta.ts'
import { isKubernetesSigner, validateSignerName } from '../signer-name.ts'
import { checkKey } from './key-validation.ts'

const UID_BYTES_MAX = 128
const HOUR_SECONDS = 3600
const DAY_SECONDS = 24 * HOUR_SECONDS
const EXPIRATION_SECONDS_MAX = 91 * DAY_SECONDS
const ANSWERS = ['Issued', 'Denied', 'Failed']

export function validatePodRequest({ spec }: PodCertificateRequest): FieldError[] {
  const errors: FieldError[] = []
  validateSignerName(errors, spec.signerName ?? '', 'spec.signerName')
  checkUserAnnotations(errors, spec.unverifiedUserAnnotations ?? {})
  for (const name of ['pod', 'serviceAccount', 'node'] as const) {
    checkDnsSubdomain(errors, `spec.${name}Name`, spec[`${name}Name`] ?? '')
    const uid = spec[`${name}UID`] ?? ''
    if (uid === '') errors.push(invalidValue(`spec.${name}UID`, uid, 'must not be empty'))
    if (uid.length > UID_BYTES_MAX) errors.push(tooLong(`spec.${name}UID`, UID_BYTES_MAX))
  }
  if (spec.maxExpirationSeconds === undefined) return [...errors, required('spec.maxExpirationSeconds', 'must be set')]
  const max = isKubernetesSigner(spec.signerName ?? '') ? DAY_SECONDS : EXPIRATION_SECONDS_MAX
  if (spec.maxExpirationSeconds < HOUR_SECONDS || spec.maxExpirationSeconds > max) {
    const text = `must be in the range [${HOUR_SECONDS}, ${max}]`
    errors.push(invalidValue('spec.maxExpirationSeconds', spec.maxExpirationSeconds, text))
  }
  checkKey(errors, spec)
  return errors
}

function checkUserAnnotations(errors: FieldError[], annotations: Readonly<Record<string, string>>): void {
  const path = 'spec.unverifiedUserAnnotations'
  for (const key of Object.keys(annotations)) errors.push(...validateDomainPrefixedKey(path, key.toLowerCase()))
  errors.push(...validateAnnotationsSize(annotations, path))
}

export function validatePodRequestUpdate(request: PodCertificateRequest, old: PodCertificateRequest): FieldError[] {
  return isSemanticallyEqual(request.spec, old.spec) ? [] : [invalidValue('spec', request.spec, IMMUTABLE)]
}

/** A request is answered once; the certificate itself is the signer's business. */
export function validatePodRequestStatus(request: PodCertificateRequest, old: PodCertificateRequest): FieldError[] {
  const errors: FieldError[] = []
  const conditions = request.status?.conditions ?? []
  const answers = conditions.filter(({ type }) => ANSWERS.includes(type))
  for (const [i, { type, status }] of conditions.entries()) {
    const path = `status.conditions.[${i}]`
    if (!ANSWERS.includes(type)) errors.push(notSupportedInOrder(`${path}.type`, type, ANSWERS))
    else if (answers.findIndex((answer) => answer === conditions[i]) > 0) {
      const text = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
      errors.push(invalidValue(`${path}.type`, type, text))
    }
    if (ANSWERS.includes(type) && status !== 'True')
      errors.push(notSupportedInOrder(`${path}.status`, status, ['True']))
  }
  errors.push(...validateConditions(conditions, 'status.conditions'))
  if (errors.length > 0) return errors
  const problem = changeProblem(request, old)
  return problem === undefined ? [] : [invalidValue('status', request.status, problem)]
}

function changeProblem({ status }: PodCertificateRequest, old: PodCertificateRequest): string | undefined {
  const isAnswered = (old.status?.conditions ?? []).some(({ type }) => ANSWERS.includes(type))
  const isUnchanged = isSemanticallyEqual(status, old.status)
  if (isAnswered) return isUnchanged ? undefined : 'immutable after PodCertificateRequest is issued, denied, or failed'
  const answer = status?.conditions?.[0]?.type
  if (answer === 'Issued' || isUnchanged) return undefined
  if (answer === undefined) return 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
  const { conditions: _conditions, ...others } = status ?? {}
  if (Object.keys(others).length === 0) return undefined
  return 'non-condition status fields must be empty when denying or failing the PodCertificateRequest'
}
