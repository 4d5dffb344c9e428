/** What a CertificateSigningRequest must look like, and who may answer it. */
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '#api/certificates/v1.gen.ts'
import { diffAsGo } from '#api/go-values/show-as-go.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '#machinery/field-error.ts'
import { certificateProblem } from '../certificate-data.ts'
import { requestProblem } from '../certificate-request.ts'
import { validateSignerName } from '../signer-name.ts'

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const EXPIRATION_SECONDS_MIN = 600
const CONDITIONS = 'status.conditions'

/** `old` of an update: what was wrong before the update may stay wrong. */
export function validateRequest(
  { spec, status }: CertificateSigningRequest,
  old?: CertificateSigningRequest,
): FieldError[] {
  const errors: FieldError[] = []
  const problem = requestProblem(spec.request)
  if (problem !== undefined) errors.push(invalidValue('spec.request', spec.request || undefined, problem))
  checkUsages(errors, spec.usages ?? [], old?.spec.usages ?? [])
  if (spec.signerName === LEGACY_SIGNER && old?.spec.signerName !== LEGACY_SIGNER) {
    const text = 'the legacy signerName is not allowed via this API version'
    errors.push(invalidValue('spec.signerName', spec.signerName, text))
  } else validateSignerName(errors, spec.signerName ?? '', 'spec.signerName')
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < EXPIRATION_SECONDS_MIN) {
    const text = 'may not specify a duration less than 600 seconds (10 minutes)'
    errors.push(invalidValue('spec.expirationSeconds', spec.expirationSeconds, text))
  }
  checkConditions(errors, status?.conditions ?? [], old?.status?.conditions ?? [])
  checkCertificate(errors, status?.certificate ?? '', old?.status?.certificate)
  return errors
}

function checkUsages(errors: FieldError[], usages: readonly string[], old: readonly string[]): void {
  if (usages.length === 0) errors.push(required('spec.usages'))
  if (old.every((usage) => USAGES.includes(usage)))
    for (const [i, usage] of usages.entries())
      if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, USAGES))
  if (!hasDuplicates(old))
    for (const [i, usage] of usages.entries())
      if (usages.indexOf(usage) < i) errors.push(duplicate(`spec.usages[${i}]`, usage))
}

const hasDuplicates = (values: readonly string[]): boolean => new Set(values).size < values.length

type Conditions = readonly CertificateSigningRequestCondition[]

function checkConditions(errors: FieldError[], conditions: Conditions, old: Conditions): void {
  const types = conditions.map(({ type }) => type ?? '')
  const oldTypes = old.map(({ type }) => type ?? '')
  const mayContradict = oldTypes.includes('Approved') && oldTypes.includes('Denied')
  for (const [i, { type = '', status = '' }] of conditions.entries()) {
    const path = `${CONDITIONS}[${i}]`
    if (type === '' && !oldTypes.includes('')) errors.push(required(`${path}.type`))
    const allowed = isAnswer(type) || type === 'Failed' ? ['True'] : ['False', 'True', 'Unknown']
    if (status === '') errors.push(required(`${path}.status`))
    else if (!allowed.includes(status)) errors.push(notSupported(`${path}.status`, status, allowed))
    const opposite = type === 'Approved' ? 'Denied' : 'Approved'
    if (!mayContradict && isAnswer(type) && types.slice(0, i).includes(opposite))
      errors.push(invalidValue(CONDITIONS, type, 'Approved and Denied conditions are mutually exclusive'))
    if (types.indexOf(type) < i && !hasDuplicates(oldTypes)) errors.push(duplicate(`${path}.type`, type))
  }
}

const isAnswer = (type: string): boolean => type === 'Approved' || type === 'Denied'

function checkCertificate(errors: FieldError[], certificate: string, old: string | undefined): void {
  if (old !== undefined && (certificate === old || certificateProblem(old) !== undefined)) return
  const problem = certificateProblem(certificate)
  if (problem !== undefined) errors.push(invalidValue('status.certificate', '<certificate data>', problem))
}

/** `subresource` says what may change: `approval` the answer, `status` the certificate. */
export function validateRequestUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  subresource: string,
): FieldError[] {
  const errors = validateRequest(request, old)
  for (const type of ['Approved', 'Denied', 'Failed'])
    if (conditionsOf(request, type).length < conditionsOf(old, type).length)
      errors.push(forbiddenField(CONDITIONS, `updates may not remove a condition of type "${type}"`))
  if (subresource !== 'approval')
    for (const type of ['Approved', 'Denied'])
      checkUnchanged(errors, type, [conditionsOf(request, type), conditionsOf(old, type)])
  const [certificate, before] = [request.status?.certificate ?? '', old.status?.certificate ?? '']
  if (certificate !== before) {
    if (subresource !== 'status')
      errors.push(forbiddenField('status.certificate', 'updates may not set certificate content'))
    else if (before !== '')
      errors.push(forbiddenField('status.certificate', 'updates may not modify existing certificate content'))
  }
  return errors
}

function checkUnchanged(errors: FieldError[], type: string, [now, before]: readonly [Conditions, Conditions]): void {
  if (now.length > before.length)
    errors.push(forbiddenField(CONDITIONS, `updates may not add a condition of type "${type}"`))
  else if (now.length === before.length && !isSemanticallyEqual(now, before)) {
    const difference = diffAsGo('io.k8s.api.certificates.v1.CertificateSigningRequestCondition', before, now)
    errors.push(forbiddenField(CONDITIONS, `updates may not modify a condition of type "${type}"\n${difference}`))
  }
}

function conditionsOf({ status }: CertificateSigningRequest, type: string): Conditions {
  return (status?.conditions ?? []).filter((condition) => condition.type === type)
}
