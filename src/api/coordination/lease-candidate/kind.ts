/** Someone who would hold a Lease, with the version it runs: by it the leader of a coordinated election is chosen. */
import type { LeaseCandidate } from '#api/coordination/v1beta1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { defineVersion } from '#api/define-version.ts'
import { formatAge } from '#api/table-cells.ts'
import { IMMUTABLE } from '#api/validation.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isConfigMapKey } from '#machinery/validation/names.ts'
import { validateStrategy } from '../lease/validation.ts'
import { compareSemanticVersions, parseSemanticVersion } from './semantic-version.ts'

const NO_VERSION = 'must be a valid semantic version'

function validateCandidate({ spec }: LeaseCandidate): FieldError[] {
  const errors: FieldError[] = []
  const { leaseName = '', emulationVersion = '', binaryVersion = '', strategy = '' } = spec
  if (leaseName === '') errors.push(required('spec.leaseName'))
  const emulated = parseSemanticVersion(emulationVersion)
  if (emulationVersion !== '' && emulated === null)
    errors.push(invalidValue('spec.emulationVersion', emulationVersion, NO_VERSION))
  const binary = parseSemanticVersion(binaryVersion)
  if (binaryVersion === '') errors.push(required('spec.binaryVersion'))
  else if (binary === null) errors.push(invalidValue('spec.binaryVersion', binaryVersion, NO_VERSION))
  if (binaryVersion !== '' && emulationVersion !== '' && isOlder(binary, emulated))
    errors.push(
      invalidValue('spec.binaryVersion', binaryVersion, 'must be greater than or equal to `emulationVersion`'),
    )
  checkStrategy(errors, strategy, emulated)
  return errors
}

type Version = ReturnType<typeof parseSemanticVersion>

const ZERO = parseSemanticVersion('0.0.0')!

/** Upstream takes a version that it cannot read for 0.0.0. */
function isOlder(binary: Version, emulated: Version): boolean {
  return compareSemanticVersions(binary ?? ZERO, emulated ?? ZERO) < 0
}

function checkStrategy(errors: FieldError[], strategy: string, emulated: Version): void {
  if (strategy === '') {
    errors.push(required('spec.strategy'))
    return
  }
  if (strategy === 'OldestEmulationVersion' && compareSemanticVersions(emulated ?? ZERO, ZERO) === 0)
    errors.push(required('spec.emulationVersion', "must be specified when `strategy` is 'OldestEmulationVersion'"))
  validateStrategy(errors, strategy)
}

export const leaseCandidateKind = defineKind<LeaseCandidate>('coordination.k8s.io/v1beta1/leasecandidates', {
  allowPlainFinalizers: true,
  deprecation: 'coordination.k8s.io/v1beta1 LeaseCandidate is deprecated in v1.36+, unavailable in v1.39+',
  nameRule: isConfigMapKey,
  strategy: {
    allowCreateOnUpdate: true,
    requireResourceVersion: true,
    validate: validateCandidate,
    validateUpdate(candidate, old) {
      const errors = validateCandidate(candidate)
      if (candidate.spec.leaseName !== old.spec.leaseName)
        errors.push(invalidValue('spec.leaseName', candidate.spec.leaseName, IMMUTABLE))
      return errors
    },
  },
  row: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec.leaseName ?? '',
    spec.binaryVersion ?? '',
    spec.emulationVersion ?? '',
    formatAge(metadata.creationTimestamp, nowMs),
  ],
})

export const leaseCandidateAlphaKind = defineVersion(
  'coordination.k8s.io/v1alpha2/leasecandidates',
  leaseCandidateKind,
  { lifecycle: { deprecatedIn: 35, removedIn: 38 } },
)
