/** Certificates of authorities that pods may trust, by signer or for all. */
import { X509Certificate } from 'node:crypto'
import type { ClusterTrustBundle } from '#api/certificates/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { IMMUTABLE } from '#api/validation.ts'
import { type FieldError, invalidValue, tooLong } from '#machinery/field-error.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { type PemBlock, pemBlocks } from '../certificate-data.ts'
import { validateSignerName } from '../signer-name.ts'

const BUNDLE_BYTES_MAX = 1_048_576
const BUNDLE = 'spec.trustBundle'
const OMITTED = '<value omitted>'

const strategy: Strategy<ClusterTrustBundle> = {
  requireResourceVersion: true,
  validate: (bundle) => validateBundle(bundle),
  validateUpdate: validateBundle,
}

function validateBundle({ metadata, spec }: ClusterTrustBundle, old?: ClusterTrustBundle): FieldError[] {
  const errors: FieldError[] = []
  const signer = spec.signerName ?? ''
  if (old === undefined)
    for (const problem of nameProblems(metadata.name ?? '', signer))
      errors.push(invalidValue('metadata.name', metadata.name, problem))
  if (signer !== '') validateSignerName(errors, signer, 'spec.signerName')
  if (old?.spec.trustBundle !== spec.trustBundle) checkTrustBundle(errors, spec.trustBundle ?? '')
  if (old !== undefined && signer !== (old.spec.signerName ?? ''))
    errors.push(invalidValue('spec.signerName', signer, IMMUTABLE))
  return errors
}

function nameProblems(name: string, signer: string): string[] {
  if (signer === '') {
    if (name.includes(':')) return ['ClusterTrustBundle without signer name must not have ":" in its name']
    return isDns1123Subdomain(name)
  }
  const prefix = `${signer.replaceAll('/', ':')}:`
  if (!name.startsWith(prefix))
    return [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`]
  return isDns1123Subdomain(name.slice(prefix.length))
}

function checkTrustBundle(errors: FieldError[], text: string): void {
  if (Buffer.byteLength(text) > BUNDLE_BYTES_MAX) {
    errors.push(tooLong(BUNDLE, BUNDLE_BYTES_MAX))
    return
  }
  const blocks = pemBlocks(text)
  const problems = blocks.flatMap((block, i) => {
    const problem = anchorProblem(block)
    return problem === undefined ? [] : [`entry ${i} ${problem}`]
  })
  if (blocks.length === 0) problems.push('at least one trust anchor must be provided')
  if (problems.length === 0) problems.push(...duplicateProblems(blocks))
  for (const problem of problems) errors.push(invalidValue(BUNDLE, OMITTED, problem))
}

function anchorProblem({ type, hasHeaders, der }: PemBlock): string | undefined {
  if (type !== 'CERTIFICATE') return `has bad block type: ${type}`
  if (hasHeaders) return 'has PEM block headers'
  try {
    return new X509Certificate(der).ca ? undefined : 'does not have the CA bit set'
  } catch {
    return 'does not parse as X.509'
  }
}

function duplicateProblems(blocks: readonly PemBlock[]): string[] {
  const positions = new Map<string, number[]>()
  for (const [i, { der }] of blocks.entries()) {
    const key = der.toString('base64')
    positions.set(key, [...(positions.get(key) ?? []), i])
  }
  return [...positions.values()]
    .filter((indices) => indices.length > 1)
    .map((indices) => `duplicate trust anchor (indices [${indices.join(' ')}])`)
}

export const clusterTrustBundleKind = defineKind<ClusterTrustBundle>('certificates.k8s.io/v1/clustertrustbundles', {
  storageVersion: 'v1beta1',
  strategy,
  nameRule: 'path-segment',
  row: ({ metadata, spec }) => [metadata.name, spec?.signerName || '<none>'],
  selectableFields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
})
